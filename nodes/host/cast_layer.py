"""One cross-attention layer of a patched model: what stood there before, and the identities."""

from __future__ import annotations

from dataclasses import dataclass, replace

from torch import Tensor

from ...attention.masked import TextKeys
from ...attention.modes import attend_to_identities
from .cast_run import Call, CastRun
from .row_copies import with_copies
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
        call = self.call
        if len(q) != len(call.rows) * call.images:
            told = extra_options.get("cond_or_uncond", ())
            call = replace(call, rows=with_copies(call.rows, len(q), call.images, told))
        height, width = extra_options["activations_shape"][-2:]
        return attend_to_identities(
            self.run.patch.recipe,
            self.run.layout((height, width), call, q.device, q.dtype),
            text,
            q,
            TextKeys(k, self.run.text_repeats(call, k.shape[1], k.device)),
            self.keys.to(q),
            self.values.to(q),
            extra_options["n_heads"],
            self.strength,
            self.boosted,
        )
