"""A tiny real ControlNet with random weights, for the tiny UNet."""

from pack.scripts.benches.engine.instantid_calls import random_control
from pack.tests.host.tiny_models import UNET


def tiny_control():
    """A ControlNet of random weights, as the host loads one."""
    return random_control(UNET, num_heads=4)
