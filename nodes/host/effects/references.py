"""Effect: members' reference photos beside the picture in self-attention.

All photos of a cast go through the model in one batch, once for each noise level: whatever else is evaluated at that
level (other conditionings, crops, chunks of a batch) reads the same keys. They get noise that is fixed for the run, as
simple renoising serves better than inversion (Add-it), and the positive prompt.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from comfy.patcher_extension import WrappersMP
from torch import Tensor

from ....attention.isolation.grouped_attention import PhotoKeys
from ....attention.recipes.cast import NoIdentity
from ....attention.recipes.recipe import References
from ....attention.recipes.schedule import Window
from ..layers.in_force import Terms, in_force
from ..model.blocks import CrossAttentionBlock, grid_at
from ..model.option_keys import OF_A_CALL
from ..progress import Moving
from .effect import Effect, EffectRun, Given, ModelCall, Session, StepState
from .isolation import Groups, SelfAttention
from .reference_photos import EncodedPhotos, encode_photos

SEED = 20_251  # of the noise on photos; fixed, so that a photo looks the same in every step and run


@dataclass(frozen=True, eq=False)
class ReferencePhotos(Effect):
    """Members' photos beside the picture in self-attention; photos [I], or None for a member without."""

    blocks: tuple[CrossAttentionBlock, ...]
    photos: tuple[EncodedPhotos | None, ...]
    references: References
    background: str
    windows: tuple[Window, ...]

    @classmethod
    def of(cls, given: Given) -> ReferencePhotos | None:
        """Raises ValueError where the recipe uses photos, and there is no VAE or nobody has a photo."""
        references = given.recipe.references
        if not references.odds or all(isinstance(member.identity, NoIdentity) for member in given.cast):
            return None
        photos = encode_photos(Moving(given.cast), given.vae, references.size)
        window = (references.start, references.end)
        return cls(given.blocks, photos, references, given.recipe.isolation.background, (window,))

    def begin(self, session: Session) -> ReferenceRun:
        """Its photos in a run."""
        return ReferenceRun(self, session)


class ReferenceRun(EffectRun):
    """The photos of a cast in one sampling run, and what they left in each layer at the latest noise level."""

    def __init__(self, effect: ReferencePhotos, session: Session) -> None:
        super().__init__()
        self._effect = effect
        self._photos = {member: own for member, own in enumerate(effect.photos) if own is not None}
        self._settings = effect.references
        self._layers = [
            number
            for number, block in enumerate(effect.blocks)
            if self._settings.layers == "all" or block.key[0] == "output"
        ]
        self._levels = [block.level for block in effect.blocks]
        self._groups = Groups(self, session.shares, effect.background)
        self._latest: tuple[tuple, Mapping[int, Mapping[int, PhotoKeys]]] | None = None
        self._uuid = uuid.uuid4()  # by which wrappers of other packs tell these rows from the picture's

    def close(self) -> None:
        """Let go of every tensor."""
        super().close()
        self._latest = None

    def join(self, terms: Terms, call: ModelCall, state: StepState) -> Terms:
        """With photos beside the picture, in groups of people who are kept apart or not. ControlNets see none."""
        if call.in_control:
            return terms
        term = terms.self_attention
        if term is None:
            term = SelfAttention(self._groups, call.rows)
        term = replace(term, photos=self.keys(call), match=self._settings.match_mean)
        return replace(terms, self_attention=term.prepared(call))

    def keys(self, call: ModelCall) -> Mapping[int, Mapping[int, PhotoKeys]]:
        """By layer, by member, what photos hold at a call's noise level; nothing in a call without positive rows."""
        positive = [number for number, row in enumerate(call.rows.rows) if row.positive]
        if not self._photos or not positive:
            return {}
        row = positive[0] * call.rows.images
        key = (float(call.t[row]), call.x.device, call.x.dtype)
        if self._latest is None or self._latest[0] != key:
            self._latest = key, self._run(call, row)
        return self._latest[1]

    def _run(self, call: ModelCall, row: int):
        base, x, level, text, rest = call.base, call.x, call.t[row], call.text[row], call.rest
        options = {key: value for key, value in call.options.items() if key not in (*OF_A_CALL, "patches")}
        options = {**options, "cond_or_uncond": [0], "uuids": [self._uuid], "wrappers": _without_caches(options)}
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
        with in_force(Terms(self_attention=recorder)):
            call.again(noisy, levels, concat, text.expand(count, *text.shape), None, options, **same)
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


def _without_caches(options: Mapping[str, Any]) -> dict[str, Any]:
    """The wrappers around a call, less those around the network alone: caches, which photos would reset or fill.

    EasyCache measures how much the picture changes from call to call, and forgets everything when its size does.
    """
    wrappers = options.get("wrappers", {})
    return {kind: own for kind, own in wrappers.items() if kind != WrappersMP.DIFFUSION_MODEL}


def _cells(faces: Tensor, level: int, size: Sequence[int]) -> Tensor:
    """Which tokens of a layer show the face: [P, h, w] bool -> [P, N] bool; each photo has at least one."""
    covered = F.adaptive_avg_pool2d(faces[:, None].float(), grid_at(size, level)).flatten(1)
    return covered >= covered.amax(1, keepdim=True).clamp(max=0.5)


def _repeated(value: Any, row: int, rows: int, count: int) -> Any:
    """One row of an argument of the call, for each of `count` photos; what is not made of rows stays as it is."""
    if isinstance(value, Tensor) and value.ndim and len(value) == rows:
        return value[row : row + 1].expand(count, *value.shape[1:])
    return value


@dataclass(eq=False)
class Recorder:
    """Stands in for a term while photos run through the model: every layer attends plainly and leaves its keys here."""

    layers: Sequence[int]
    found: dict[int, tuple[Tensor, Tensor]]

    def acts(self, layer: int, _grid: tuple[int, int], _rows: int) -> bool:
        """Whether the layer's keys are wanted."""
        return layer in self.layers

    def __call__(self, _q: Tensor, k: Tensor, v: Tensor, layer: int, _heads: int, _grid: tuple[int, int]) -> None:
        """Keep a layer's keys and values, [P, N, H*D]."""
        self.found[layer] = k.detach().clone(), v.detach().clone()
