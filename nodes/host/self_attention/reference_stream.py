"""Reference photos, run through the model at the picture's noise level, so that people can attend to them.

All photos of a cast go through the model in one batch, once for each noise level: whatever else is evaluated at that
level (other conditionings, crops, chunks of a batch) reads the same keys. They get noise that is fixed for the run, as
simple renoising serves better than inversion (Add-it), and the positive prompt.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ....attention.recipes import References
from ....attention.self_attention import PhotoKeys
from ..cast.blocks import CrossAttentionBlock
from ..cast.cast_call import Call
from ..cast.cast_layer import in_force
from .reference_photos import EncodedPhotos
from .self_terms import Recorder

SEED = 20_251  # of the noise on photos; fixed, so that a photo looks the same in every step and run


class ReferenceRun:
    """The photos of a cast in one sampling run, and what they left in each layer at the latest noise level."""

    def __init__(
        self,
        photos: Sequence[EncodedPhotos | None],
        settings: References,
        blocks: Sequence[CrossAttentionBlock],
    ) -> None:
        self._photos = {member: own for member, own in enumerate(photos) if own is not None}
        self._settings = settings
        self._layers = [
            number for number, block in enumerate(blocks) if settings.layers == "all" or block.key[0] == "output"
        ]
        self._levels = [block.level for block in blocks]
        self._latest: tuple[tuple, Mapping[int, Mapping[int, PhotoKeys]]] | None = None

    def close(self) -> None:
        """Let go of every tensor."""
        self._latest = None

    def keys(self, executor, x: Tensor, t: Tensor, text: Tensor, options: dict, call: Call, rest: Mapping[str, Any]):
        """By layer, by member, what photos hold at the noise level of a call; nothing in a call without positive rows.

        executor : runs the model once more
        x, t, text, options, rest : of the call: input, noise levels [B], text tokens, transformer options, the others
        """
        positive = [number for number, row in enumerate(call.rows) if row.positive]
        if not self._photos or not positive:
            return {}
        row = positive[0] * call.images
        key = (float(t[row]), x.device, x.dtype)
        if self._latest is None or self._latest[0] != key:
            self._latest = key, self._run(executor, x, t[row], text[row], options, row, rest)
        return self._latest[1]

    def _run(self, executor, x: Tensor, level: Tensor, text: Tensor, options: dict, row: int, rest: Mapping[str, Any]):
        base = executor.class_obj
        latents = torch.cat([own.latents for own in self._photos.values()])
        latents = base.process_latent_in(latents).to(x)
        generator = torch.Generator().manual_seed(SEED)
        noise = torch.randn(latents.shape, generator=generator).to(x)
        count = len(latents)
        levels = level.expand(count)
        noisy = base.model_sampling.noise_scaling(levels.view(-1, *[1] * (x.ndim - 1)), noise, latents)
        recorder = Recorder(self._layers, {})
        same = {name: _repeated(value, row, len(x), count) for name, value in rest.items()}
        concat = same.pop("c_concat", None)
        if isinstance(concat, Tensor) and concat.ndim == 4:
            concat = F.interpolate(concat, latents.shape[-2:])
        with in_force((), recorder):
            executor(noisy, levels, concat, text.expand(count, *text.shape), None, options, **same)
        return self._by_member(recorder.found, latents.shape[-2:])

    def _by_member(self, found: Mapping[int, tuple[Tensor, Tensor]], size: Sequence[int]):
        keys: dict[int, dict[int, PhotoKeys]] = {}
        for layer, (k, v) in found.items():
            keys[layer], first = {}, 0
            for member, own in self._photos.items():
                rows = slice(first, first + len(own.latents))
                first = rows.stop
                seen = _cells(own.faces, self._levels[layer], size).to(k.device)
                keys[layer][member] = PhotoKeys(k[rows][seen][None], v[rows][seen][None], self._settings.odds)
        return keys


def _cells(faces: Tensor, level: int, size: Sequence[int]) -> Tensor:
    """Which tokens of a layer show the face: [P, h, w] bool -> [P, N] bool; each photo has at least one."""
    grid = [-(-length >> level) for length in size]
    covered = F.adaptive_avg_pool2d(faces[:, None].float(), grid).flatten(1)
    return covered >= covered.amax(1, keepdim=True).clamp(max=0.5)


def _repeated(value: Any, row: int, rows: int, count: int) -> Any:
    """One row of an argument of the call, for each of `count` photos; what is not made of rows stays as it is."""
    if isinstance(value, Tensor) and value.ndim and len(value) == rows:
        return value[row : row + 1].expand(count, *value.shape[1:])
    return value
