"""Record where identities act while a model is sampled, for as long as the graph keeps the recorder."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from comfy.patcher_extension import WrappersMP
from torch import Tensor

from ....attention.maps.attribution_maps import ActionMaps, ActionSums, Grid, joined_maps, span_of
from ....attention.maps.contribution_norms import attend_and_measure
from ....attention.maps.step_columns import step_column
from ..model.blocks import CrossAttentionBlock, grid_at
from ..model.families import family_of
from ..model.family import UNET
from ..model.option_keys import RECORDINGS
from ..model.rows import Call

KEPT = 4  # of the latest samplings: a graph may sample one model several times before it looks
PROBES = 256  # numbers of the latents that tell one sampling from another
ALIKE = 0.01  # how far they may be off, in parts of their spread: half precision on the way


class RecordedCast(Protocol):
    """Whose contributions are recorded: the model's layers and the members' names."""

    blocks: tuple[CrossAttentionBlock, ...]
    names: tuple[str, ...]


class AttentionRecorder:
    """What several samplings of one model recorded, the latest first. Bounded: KEPT times what `ActionSums` says."""

    def __init__(self) -> None:
        self._kept: list[tuple[Tensor, tuple[int, ...], ActionMaps]] = []

    def sampling(self, executor: Any, noise: Tensor, latent: Tensor, sampler: Any, sigmas: Tensor, *args, **kwargs):
        """Around one sampling run: what is recorded is kept when it ends well, and dropped when it does not."""
        options = executor.class_obj.model_options["transformer_options"]  # a copy that ComfyUI made for this run
        run = RecordingRun(tuple(noise.shape), len(sigmas) - 1)
        options[RECORDINGS] = (*options.get(RECORDINGS, ()), run)
        try:
            out = executor(noise, latent, sampler, sigmas, *args, **kwargs)
            maps = run.maps()
        finally:
            run.close()
        if maps is not None:
            self._kept = [(_probe(out), tuple(out.shape), maps), *self._kept][:KEPT]
        return out

    def recorded(self, latents: Tensor) -> ActionMaps:
        """What was recorded while these latents were sampled, [B, C, H, W].

        Raises ValueError when nothing was recorded, or nothing of these latents is kept.
        """
        probe = _probe(latents)
        for known, shape, maps in self._kept:
            if shape == tuple(latents.shape) and (known - probe).abs().max() <= ALIKE * known.std().clamp(min=1e-6):
                return maps
        if self._kept:
            raise ValueError(
                f"what was recorded is of other latents than these {list(latents.shape)}, or of more than {KEPT} "
                "samplings ago. Connect the LATENT straight from the sampler that uses Record Attention's model (of "
                "two outputs 'output'), and change its seed so that it samples again."
            )
        raise ValueError(
            "nothing was recorded. Put Record Attention after Apply Cast and connect its model to the sampler; where "
            "they are connected, the picture was kept from an earlier run: change the seed so that it is sampled again."
        )


class RecordingRun:
    """The sums of one sampling run, cast by cast."""

    def __init__(self, shape: tuple[int, ...], steps: int) -> None:
        """shape: of the latents [B, C, H, W]; steps: of the run."""
        self._images, self._latent, self._steps = shape[0], shape[-2:], max(1, steps)
        self._casts: dict[int, tuple[RecordedCast, ActionSums]] = {}

    def sums(self, cast: RecordedCast) -> ActionSums:
        """Those of one cast."""
        if id(cast) not in self._casts:
            groups = {(block.key[0], block.level): grid_at(self._latent, block.level) for block in cast.blocks}
            order = sorted(groups, key=_flow)
            grids = {group: groups[group] for group in order}
            self._casts[id(cast)] = cast, ActionSums(grids, len(cast.names), self._images, self._steps)
        return self._casts[id(cast)][1]

    def add(self, cast: RecordedCast, layer: int, grid: Grid, call: Call, energy: Tensor, column: Tensor) -> None:
        """Add what one layer measured in the positive prompt's rows; energy [M, B, N]."""
        sums, block = self.sums(cast), cast.blocks[layer]
        group = block.key[0], block.level
        rows = energy.unflatten(1, (len(call.rows), call.images)).unflatten(-1, grid)  # [M, G, images, h, w]
        for number, row in enumerate(call.rows):
            if row.positive:
                span = None if row.area is None else span_of(row.area, call.latent, sums.size(group))
                sums.add(group, rows[:, number], column, span)

    def maps(self) -> ActionMaps | None:
        """What was recorded, on the CPU; None where no cast was at work."""
        if not self._casts:
            return None
        casts, sums = zip(*self._casts.values(), strict=True)
        return joined_maps([name for cast in casts for name in cast.names], sums, self._steps)

    def close(self) -> None:
        """Let go of every tensor."""
        for _, sums in self._casts.values():
            sums.clear()
        self._casts.clear()


@dataclass(frozen=True, eq=False)
class Recorded:
    """The recordings that one call's contributions are added to.

    column : [1] int64 on the device, of the step
    """

    recordings: tuple[RecordingRun, ...]
    column: Tensor

    def attend(self, cast: RecordedCast, recipe: Any, inputs: tuple, layer: int, grid: Grid, call: Call) -> Tensor:
        """What `attend_to_identities` makes of these inputs, bit for bit, while its contributions are added up."""
        out, energy = attend_and_measure(recipe, *inputs)
        for recording in self.recordings:
            recording.add(cast, layer, grid, call, energy, self.column)
        return out


def column_of(options: Mapping[str, Any], x: Tensor) -> Tensor:
    """The column of the step that a model call with these transformer options belongs to, int64 [1] on the device.

    The first where the sampler does not tell its noise levels.
    """
    sigma, sigmas = options.get("sigmas"), options.get("sample_sigmas")
    if sigma is None or sigmas is None or len(sigmas) < 2:
        return torch.zeros(1, dtype=torch.long, device=x.device)
    return step_column(sigma.to(x.device), sigmas)


def record_attention(model: Any) -> tuple[Any, AttentionRecorder]:
    """A clone of a model whose samplings are recorded, and the recorder.

    Raises ValueError for a model without cross-attention.
    """
    family = family_of(model)
    if family.kind != UNET:
        raise ValueError(
            f"Troupe, Record Attention: {family.name} has no cross-attention, and what is recorded is what people add "
            "to it. Connect Apply Cast straight to the sampler."
        )
    recorder, recorded = AttentionRecorder(), model.clone()
    recorded.add_wrapper_with_key(WrappersMP.OUTER_SAMPLE, f"troupe-record-{uuid.uuid4().hex}", recorder.sampling)
    return recorded, recorder


def _flow(group: tuple[str, int]) -> tuple[int, int]:
    """The order in which a picture passes the layer groups: down, the middle, up."""
    kind, level = group
    return {"input": (0, level), "middle": (1, 0), "output": (2, -level)}[kind]


def _probe(latents: Tensor) -> Tensor:
    """A few of the numbers, float32 on the CPU."""
    flat = latents.detach().flatten()
    return flat[:: max(1, len(flat) // PROBES)][:PROBES].float().cpu()
