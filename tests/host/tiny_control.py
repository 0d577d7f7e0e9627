"""A tiny real ControlNet with random weights, for the tiny UNet, and what its layers give."""

from pack.scripts.benches.engine.instantid_calls import random_control
from pack.tests.host.layer_recorder import hooked
from pack.tests.host.tiny_models import UNET

INPUTS = [("input", block) for block in (1, 2, 4, 5, 7, 8)]


def tiny_control():
    """A ControlNet of random weights, as the host loads one."""
    return random_control(UNET, num_heads=4)


def cross_attention(control, block):
    model = control.control_model
    part = model.middle_block if block[0] == "middle" else model.input_blocks[block[1]]
    return part[1].transformer_blocks[0].attn2


def control_layers(control, draw):
    """What the ControlNet's cross-attention gives in its first call, by block: [2, N, C]."""
    seen, hooks = {}, []
    for block in [*INPUTS, ("middle", 0)]:
        layer = cross_attention(control, block).to_out
        hooks.append(layer.register_forward_pre_hook(lambda _, x, block=block: seen.setdefault(block, x[0].clone())))
    with hooked(hooks):
        draw()
    return seen
