"""One cross-attention layer of a patched model: what stood there before, and the identities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from ...attention.modes import Layout, attend_to_identities
from .cast_run import Call, CastRun
from .roles import repeated
from .slots import Replacement


@dataclass(frozen=True, eq=False)
class CastLayer:
    """One cross-attention layer in one call of the model: what stood there, plus the identities."""

    inner: Replacement
    keys: Tensor
    values: Tensor
    run: CastRun
    call: Call
    boosted: bool
    strength: float

    def __call__(self, q: Tensor, k: Tensor, v: Tensor, extra_options: dict) -> Tensor:
        text = self.inner(q, k, v, extra_options)
        return attend_to_identities(
            self.run.patch.recipe,
            self._layout(q, extra_options["activations_shape"][-2:]),
            text,
            q,
            k,
            self.keys.to(q),
            self.values.to(q),
            extra_options["n_heads"],
            self.strength,
            self.boosted,
        )

    def _layout(self, q: Tensor, grid: Sequence[int]) -> Layout:
        call = self.call
        if len(q) != len(call.rows) * call.images:
            call = replace(call, rows=repeated(call.rows, len(q), call.images))
        return self.run.layout((grid[0], grid[1]), call, q.device, q.dtype)
