"""What one cast adds in one call of the model while it is recorded where identities act."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ....attention.action_maps import Grid
from ....attention.energies import attend_and_measure
from ....attention.step_columns import step_column
from .attention_recorder import RecordingRun
from .cast_call import Call
from .cast_term import CastTerm


@dataclass(frozen=True, eq=False)
class RecordingTerm(CastTerm):
    """The same outcome as CastTerm's, bit for bit.

    recordings : what the energies are added to
    column     : [1] int64 on the device, of the step
    """

    recordings: tuple[RecordingRun, ...] = ()
    column: Tensor | None = None

    def attend(self, layer: int, grid: Grid, call: Call, *inputs) -> Tensor:
        out, energy = attend_and_measure(self.run.patch.recipe, *inputs)
        for recording in self.recordings:
            recording.add(self.run.patch, layer, grid, call, energy, self.column)
        return out


def column_of(options: Mapping[str, Any], x: Tensor) -> Tensor:
    """The column of the step that a model call with these transformer options belongs to, int64 [1] on the device.

    The first where the sampler does not tell its noise levels.
    """
    sigma, sigmas = options.get("sigmas"), options.get("sample_sigmas")
    if sigma is None or sigmas is None or len(sigmas) < 2:
        return torch.zeros(1, dtype=torch.long, device=x.device)
    return step_column(sigma.to(x.device), sigmas)
