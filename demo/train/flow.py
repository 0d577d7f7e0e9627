"""Flow matching (arXiv 2210.02747) as ComfyUI's ModelType.FLOW samples it.

x = (1 - s) x0 + s noise, and the model predicts noise - x0 at time 1000 s.
"""

from collections.abc import Callable

import torch
from torch import Tensor


def flow_loss(
    predict: Callable[[Tensor, Tensor], Tensor],
    latents: Tensor,
    generator: torch.Generator,
    weight: Tensor | None = None,
    middle: float | Tensor = 0.2,
) -> Tensor:
    """Mean squared error of the predicted velocity at logit-normal noise levels (arXiv 2403.03206, section 3.1).

    predict : (noisy [B, C, h, w], time [B]) -> velocity [B, C, h, w]
    latents : [B, C, h, w], the x0
    weight  : [B, 1, h, w] or None, how much each place counts
    middle  : the logit of the median noise level, a number or [B]; what is whose is learned from much noise
    """
    level = torch.sigmoid(torch.randn(len(latents), generator=generator) * 1.1 + middle)
    noise = torch.randn(latents.shape, generator=generator)
    mixed = torch.lerp(latents, noise, level[:, None, None, None]).contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        velocity = predict(mixed, level * 1000)
    error = (velocity.float() - (noise - latents)).square()
    return error.mean() if weight is None else (error * weight).mean() / weight.mean()
