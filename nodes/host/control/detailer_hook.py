"""A hook for the detailers of Impact Pack: tells each of their samplings which part of the picture it draws.

Such a hook is any object with these methods; the pack's own classes are not needed. A detailer does not say which of
its segments a sampling is about, so it is known by its order and shape.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

from torch import Tensor

from ..model.crops import WHOLE, Crop, follow_crops

log = logging.getLogger(__name__)
ALIKE = 0.05  # how far the shape of a sampling may be off its segment's: detailers round sizes to latent cells
UNKNOWN = (
    "Troupe, Detailer Hook: a detailer samples a part of the picture that is none of its segments ({} x {} pixels), so "
    "people keep to the regions of a whole picture there. Connect the detailer's SEGS to Detailer Hook."
)


class DetailerHook:
    """segs: the picture's (height, width) and its [segment, ...]; None to learn them from a detection."""

    def __init__(self, segs: Any = None) -> None:
        self._given = segs
        self._segs = segs
        self._next = 0
        self._crop: Crop | None = WHOLE

    def post_detection(self, segs: Any) -> Any:
        """After a detection: its segments are what is sampled next."""
        if self._given is None:
            self._segs, self._next = segs, 0
        return segs

    def touch_scaled_size(self, width: int, height: int) -> tuple[int, int]:
        """Before a sampling of this size in pixels."""
        self._crop = self._crop_of(width, height)
        if self._crop is None:
            log.warning(UNKNOWN.format(width, height))
        return width, height

    def pre_ksample(self, model, seed, steps, cfg, sampler_name, scheduler, positive, negative, latent, denoise):
        """The arguments of a sampling, with a prompt that says which part it draws."""
        if self._crop is not None:
            positive, negative = follow_crops((positive, negative), self._crop)
        return model, seed, steps, cfg, sampler_name, scheduler, positive, negative, latent, denoise

    def _crop_of(self, width: int, height: int) -> Crop | None:
        """The next segment of this shape; small and large ones are left out by detailers on their way."""
        if self._segs is None:
            return None
        (whole_height, whole_width), segments = self._segs
        for turn in range(len(segments)):
            number = (self._next + turn) % len(segments)
            left, top, right, bottom = segments[number].crop_region
            if abs((right - left) * height / ((bottom - top) * width) - 1) <= ALIKE:
                self._next = number + 1
                return Crop(
                    top / whole_height, left / whole_width, (bottom - top) / whole_height, (right - left) / whole_width
                )
        return None

    # What a hook is asked for besides.
    def set_steps(self, info: Sequence[int]) -> None:
        """The number of the cycle."""

    def get_custom_noise(self, seed: int, noise: Tensor, is_touched: bool) -> tuple[Tensor, bool]:
        """The noise of a sampling, and whether it is another than the detailer's."""
        return noise, is_touched

    def post_crop_region(self, width: int, height: int, bbox: Any, crop_region: Any) -> Any:
        """A segment's part of the picture."""
        return crop_region

    def cycle_latent(self, latent: Any) -> Any:
        """Before each cycle."""
        return latent

    pre_decode = post_decode = post_upscale = post_encode = post_paste = cycle_latent
