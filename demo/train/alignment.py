"""Aligned face crops from known key points, batched in torch: what the face room does with OpenCV, for training."""

import torch
import torch.nn.functional as F
from torch import Tensor

# ArcFace's five points on a 112 x 112 crop (InsightFace, face_align.arcface_dst).
TEMPLATE = torch.tensor(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)


def aligned_crops(pictures: Tensor, points: Tensor, size: int = 112) -> Tensor:
    """Faces upright and filling a square: pictures [N, 3, S, S], points [N, 5, 2] in fractions -> [N, 3, size, size].

    The least-squares similarity from picture to template (Umeyama 1991) is linear in complex numbers, a z + b; its
    inverse says where each pixel of the crop is taken from.
    """
    template = torch.view_as_complex((TEMPLATE / 112 * 2 - 1).contiguous())[None]
    found = torch.view_as_complex((points * 2 - 1).contiguous())
    centre, middle = found.mean(1, keepdim=True), template.mean(1, keepdim=True)
    a = (found - centre).abs().square().sum(1) / ((found - centre).conj() * (template - middle)).sum(1)
    b = centre[:, 0] - a * middle[:, 0]
    theta = torch.stack([torch.stack([a.real, -a.imag, b.real], -1), torch.stack([a.imag, a.real, b.imag], -1)], 1)
    grid = F.affine_grid(theta, (len(pictures), 3, size, size), align_corners=False)
    return F.grid_sample(pictures, grid, align_corners=False, padding_mode="zeros")


def person_crops(pictures: Tensor, boxes: Tensor, size: int = 96) -> Tensor:
    """Head and shoulders: pictures [N, 3, S, S], face boxes [N, 4] in fractions -> [N, 3, size, size].

    A square 2.6 face heights wide with the face in its upper half.
    """
    centre, height = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 3] - boxes[:, 1]
    theta = torch.zeros(len(boxes), 2, 3)
    theta[:, 0, 0] = theta[:, 1, 1] = height * 2.6
    theta[:, :, 2] = (centre + torch.stack([torch.zeros_like(height), height * 0.55], -1)) * 2 - 1
    grid = F.affine_grid(theta, (len(pictures), 3, size, size), align_corners=False)
    return F.grid_sample(pictures, grid, align_corners=False, padding_mode="border")


def weathered(crops: Tensor, generator: torch.Generator) -> Tensor:
    """Crops [N, 3, S, S] as bad photos show them: blur of a random width, gain, tint and noise."""

    def uniform(*shape: int) -> Tensor:
        return torch.rand(shape, generator=generator)

    count, size = len(crops), crops.shape[-1]
    small = F.interpolate(crops, size=int(size * (0.3 + 0.6 * uniform().item())), mode="bilinear", antialias=True)
    blurred = F.interpolate(small, size=size, mode="bilinear")
    crops = torch.where(uniform(count, 1, 1, 1) < 0.5, blurred, crops)
    crops = crops * (0.8 + 0.4 * uniform(count, 1, 1, 1)) * (0.95 + 0.1 * uniform(count, 3, 1, 1))
    return (crops + 0.06 * uniform(count, 1, 1, 1) * torch.randn(crops.shape, generator=generator)).clamp(0, 1)
