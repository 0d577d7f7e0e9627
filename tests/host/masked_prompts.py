"""Prompts for a part of the picture, by ComfyUI's own Conditioning (Set Mask)."""

import torch

import nodes


def half(side: str, size: int = 8) -> torch.Tensor:
    """A mask [size, size] of the left or the right half."""
    mask = torch.zeros(size, size)
    mask[:, slice(None, size // 2) if side == "left" else slice(size // 2, None)] = 1
    return mask


def masked(prompt, mask, bounds="default"):
    """A prompt inside a mask."""
    return nodes.ConditioningSetMask().append(prompt, mask, bounds, 1.0)[0]
