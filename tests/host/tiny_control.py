"""A tiny real ControlNet with random weights, for the tiny UNet."""

import comfy.controlnet
import comfy.ops
import torch
from comfy.cldm.cldm import ControlNet as ControlModel
from pack.tests.host.tiny_models import UNET


def tiny_control() -> comfy.controlnet.ControlNet:
    """A ControlNet of random weights, as the host loads one."""
    options = {k: v for k, v in UNET.items() if k not in ("out_channels", "transformer_depth_output", "use_checkpoint")}
    model = ControlModel(
        hint_channels=3, dtype=torch.float32, device="cpu", operations=comfy.ops.manual_cast, num_heads=4, **options
    )
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if weights.ndim > 1:
                weights.copy_(torch.randn(weights.shape, generator=generator) / weights[0].numel() ** 0.5)
            else:
                weights.fill_(1.0 if name.endswith("weight") else 0.0)
    return comfy.controlnet.ControlNet(model.eval(), load_device=torch.device("cpu"))
