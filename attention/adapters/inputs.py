"""What goes into an adapter's projection: rows of face embeddings, of image features, or of both."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from .spec import AdapterSpec

# How that pack combines the embeddings of several photos, [R, ...] -> [...].
RULES: dict[str, Callable[[Tensor], Tensor]] = {
    "add": lambda rows: rows.sum(0),
    "subtract": lambda rows: rows[0] - rows[1:].mean(0),
    "plain average": lambda rows: rows.mean(0),
    "norm average": lambda rows: (rows / rows.norm(dim=0, keepdim=True).clamp(min=1e-12)).mean(0),
}


@dataclass(frozen=True, eq=False)
class AdapterInputs:
    """R rows, each a photo, or the mean of several; never printed, because printed values reach logs.

    faces    : [R, embedding width] as the format wants them, or None
    features : [R, vision width] or [R, L, vision width], or None; in PuLID [R, 5, L, vision width]
    vectors  : [R, vector width] of length 1, of the pictures that the features are of, in PuLID; else None
    motions  : [R, 2, motion width], what the face does and what it is to do, for a reconfigurer; else None
    turned   : [R, 2], how strongly it is reconfigured, and the row's share in its person's mean; None without motions
    """

    faces: Tensor | None = field(default=None, repr=False)
    features: Tensor | None = field(default=None, repr=False)
    vectors: Tensor | None = field(default=None, repr=False)
    motions: Tensor | None = field(default=None, repr=False)
    turned: Tensor | None = field(default=None, repr=False)

    @property
    def parts(self) -> tuple[Tensor | None, ...]:
        """All of it, in the order of the fields."""
        return self.faces, self.features, self.vectors, self.motions, self.turned

    def __len__(self) -> int:
        return len(self.faces if self.features is None else self.features)

    def row(self, index: int) -> AdapterInputs:
        """One row, as inputs of its own."""
        return self.rows([index])

    def rows(self, indices: Sequence[int]) -> AdapterInputs:
        """Some rows."""
        picked = torch.tensor(list(indices))
        return AdapterInputs(*(None if part is None else part[picked] for part in self.parts))

    def to(self, device: torch.device) -> AdapterInputs:
        """The same rows on a device."""
        return AdapterInputs(*(None if part is None else part.to(device) for part in self.parts))

    def together(self) -> AdapterInputs:
        """All rows as one with several photos, in PuLID v1.1: faces [1, R, width], features [1, 5, R * L, width]."""
        features = self.features.transpose(0, 1).flatten(1, 2)[None]
        return AdapterInputs(self.faces[None], features, self.vectors[None])

    def tokens(self, spec: AdapterSpec) -> int:
        """How many tokens a row becomes."""
        return spec.tokens or self.features.shape[1]

    def digest(self, index: int) -> str:
        """The content of a row as a hash."""
        hashed = hashlib.sha256()
        for part in self.parts:
            hashed.update(b"-" if part is None else part[index].detach().cpu().float().contiguous().numpy().tobytes())
        return hashed.hexdigest()


def joined(parts: Sequence[AdapterInputs]) -> AdapterInputs:
    """All rows of some inputs for one adapter, in order; where others have motions, those without are turned by 0."""
    moving = next((part for part in parts if part.motions is not None), None)
    if moving is not None:
        parts = [part if part.motions is not None else _still(part, moving.motions) for part in parts]

    def together(tensors: Sequence[Tensor | None]) -> Tensor | None:
        return None if tensors[0] is None else torch.cat(list(tensors))

    return AdapterInputs(*(together(list(tensors)) for tensors in zip(*(part.parts for part in parts), strict=True)))


def _still(part: AdapterInputs, motions: Tensor) -> AdapterInputs:
    turned = torch.tensor([[0.0, 1 / len(part)]]).expand(len(part), 2)
    return replace(part, motions=motions.new_zeros(len(part), *motions.shape[1:]), turned=turned)


def averaged(inputs: AdapterInputs, weights: Sequence[float] | None = None) -> AdapterInputs:
    """One row for all: the mean direction of faces, and of vectors, at their mean length, and the mean of features.

    weights : one for each row, at least one above 0; None for equal ones
    Raises ValueError when the faces cancel out.
    """
    share = torch.tensor(weights or [1.0] * len(inputs), dtype=torch.float32)
    share = share / share.sum()
    features = inputs.features
    if features is not None:
        features = (features * share.view(-1, *[1] * (features.ndim - 1))).sum(0, keepdim=True)
    faces, vectors = (None if part is None else _mean_direction(part, share) for part in (inputs.faces, inputs.vectors))
    return AdapterInputs(faces, features, vectors)


def combined(inputs: AdapterInputs, rule: str) -> AdapterInputs:
    """One row for all, by one of ComfyUI_IPAdapter_plus' rules (RULES); of one row nothing changes."""
    if len(inputs) < 2:
        return inputs
    made = RULES[rule]
    return AdapterInputs(*(None if part is None else made(part)[None] for part in inputs.parts))


def _mean_direction(faces: Tensor, share: Tensor) -> Tensor:
    lengths = faces.norm(dim=-1, keepdim=True)
    mean = (faces / lengths * share[:, None]).sum(0, keepdim=True)
    if mean.norm() < 1e-3:
        raise ValueError("the photos point in opposite directions. Use photos that show one person")
    return mean / mean.norm() * (lengths * share[:, None]).sum()
