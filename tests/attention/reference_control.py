"""ControlNet residuals per person and InstantFamily's box margin, written out slowly; no code of the pack is used."""

from collections.abc import Sequence

import torch
from torch import Tensor

Box = tuple[float, float, float, float]


def masked_residual(residuals: Sequence[Tensor], masks: Tensor) -> Tensor:
    """Sum over people of M_i r_i, one row, cell and person at a time (InstantID, section 5.5 of our notes).

    residuals : [M] of [B, C, H, W], what the ControlNet adds at one place when it sees person i alone; at least one
    masks     : [M, H, W], on the grid of these residuals
    returns [B, C, H, W]: 0 where no mask is; a residual counts for nothing, whatever it holds, where its mask is 0
    """
    out = torch.zeros(residuals[0].shape, dtype=torch.float64)
    for residual, mask in zip(residuals, masks, strict=True):
        for b in range(out.shape[0]):
            for y in range(out.shape[2]):
                for x in range(out.shape[3]):
                    if mask[y, x] != 0:
                        out[b, :, y, x] += float(mask[y, x]) * residual[b, :, y, x].double()
    return out


def grown_box(box: Box, margin: float = 0.25, width: float = 1.0, height: float = 1.0) -> Box:
    """The box with `margin` times its own width to the left and to the right, and of its height above and below.

    box           : left, top, right, bottom, in the unit of width and height (InstantFamily, arXiv 2404.19427: 25 %)
    width, height : of the picture, to which the grown box is clipped. What of the box lies outside counts for its size
    returns left, top, right, bottom; without area where even the grown box lies outside
    """
    left, top, right, bottom = box
    across, down = margin * (right - left), margin * (bottom - top)
    return (
        min(max(left - across, 0.0), width),
        min(max(top - down, 0.0), height),
        min(max(right + across, 0.0), width),
        min(max(bottom + down, 0.0), height),
    )
