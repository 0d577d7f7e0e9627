"""Runs that draw a part of a picture: which part, told by what other packs do to a prompt.

Upscalers and detailers sample crops one by one and tell the model nothing of it. But they cut the hints of ControlNets
in a prompt to each crop. So a prompt can carry a ControlNet that says nothing and whose hint is a map of coordinates:
what is left of the map is where the crop lies.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from comfy.controlnet import ControlBase
from torch import Tensor

from .rows import Row, Step

Conditioning = Sequence[Sequence[Any]]
SIDE = 2048  # cells of the map along each side
NEARLY = 0.2  # latent cells: what a map that is cut and resized may be off in a picture of 4,096 pixels


@dataclass(frozen=True)
class Crop:
    """A part of the picture, in fractions of it."""

    top: float
    left: float
    height: float
    width: float


WHOLE = Crop(0.0, 0.0, 1.0, 1.0)


class CropMarker(ControlBase):
    """A ControlNet that adds nothing to the model, with a map of coordinates for a hint.

    crop : the part of the picture that it begins with
    """

    def __init__(self, crop: Crop = WHOLE) -> None:
        super().__init__()
        down = crop.top + crop.height * (torch.arange(SIDE) + 0.5) / SIDE
        across = crop.left + crop.width * (torch.arange(SIDE) + 0.5) / SIDE
        # Three channels, as packs expect of a hint that they turn into a picture.
        self.cond_hint_original = torch.stack(
            [down[:, None].expand(SIDE, SIDE), across[None].expand(SIDE, SIDE), torch.ones(SIDE, SIDE)]
        )[None]

    def get_control(self, x_noisy: Tensor, t: Tensor, cond: dict, batched_number: int, transformer_options: dict):
        """What the ControlNets before it in the chain say."""
        if self.previous_controlnet is None:
            return None
        return self.previous_controlnet.get_control(x_noisy, t, cond, batched_number, transformer_options)

    def copy(self) -> CropMarker:
        """As every ControlNet can be copied."""
        own = CropMarker.__new__(CropMarker)
        ControlBase.__init__(own)
        self.copy_to(own)
        return own

    @property
    def crop(self) -> Crop:
        """What is left of the map."""
        down, across = self.cond_hint_original[0, 0, :, 0].double(), self.cond_hint_original[0, 1, 0].double()
        return Crop(*(end for pair in zip(_span(down), _span(across), strict=True) for end in pair))


def _span(values: Tensor) -> tuple[float, float]:
    """Where evenly spaced cells with these middles begin, and how far they reach."""
    reach = (values[-1] - values[0]) * len(values) / (len(values) - 1)
    middle = (values[-1] + values[0]) / 2
    return float(middle - reach / 2), float(reach)


def follow_crops(prompts: Sequence[Conditioning], crop: Crop = WHOLE) -> tuple[Conditioning, ...]:
    """Prompts that say of every run which part of the picture it draws; those that did so already say this part.

    Prompts with the same ControlNets share a marker, so that samplers still evaluate them in one call.
    """
    made: dict[int, CropMarker] = {}

    def marked(values: dict[str, Any]) -> dict[str, Any]:
        before = values.get("control")
        before = before.previous_controlnet if isinstance(before, CropMarker) else before
        marker = made.setdefault(id(before), CropMarker(crop)).set_previous_controlnet(before)
        apply = before is not None and values.get("control_apply_to_uncond", False)
        return {**values, "control": marker, "control_apply_to_uncond": apply}

    return tuple([[tokens, marked(values)] for tokens, values in prompt] for prompt in prompts)


def crop_in(conds: Iterable[Mapping[str, Any]]) -> Crop | None:
    """The part of the picture that prompts, as samplers have them, say they draw; None for the whole one."""
    for cond in conds:
        control = cond.get("control")
        while control is not None:
            if isinstance(control, CropMarker):
                return None if control.crop == WHOLE else control.crop
            control = getattr(control, "previous_controlnet", None)
    return None


def _whole_cells(length: float) -> float:
    """A number of latent cells, whole where it nearly is: hints are cut and resized in pixels of their own."""
    return round(length) if abs(length - round(length)) < NEARLY else length


def within(step: Step, crop: Crop | None) -> Step:
    """An evaluation as a crop of the picture that the prompt says is drawn."""
    if crop is None:
        return step
    latent = _whole_cells(step.latent[0] / crop.height), _whole_cells(step.latent[1] / crop.width)
    down, across = _whole_cells(crop.top * latent[0]), _whole_cells(crop.left * latent[1])

    def moved(row: Row) -> Row:
        height, width, top, left = row.area or (*step.latent, 0, 0)
        return replace(row, area=(height, width, top + down, left + across))

    whole = moved(Row(True, step.whole)).area
    return replace(step, latent=latent, whole=whole, rows={key: moved(row) for key, row in step.rows.items()})
