"""The members of a cast who share an adapter, with what their identities feed to it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from ....attention.adapters.formats import INSTANTID_KINDS
from ....attention.adapters.inputs import RULES, AdapterInputs, averaged, combined, joined
from ....attention.operators.orthogonal import Method
from ....attention.recipes.member_settings import V_ONLY
from ....face.identity import Identity
from ..faces.recognisers import recogniser_for
from ..model.rows import Call
from .eva_features import eva_features_of, eva_features_of_nobody
from .loaded_adapter import LoadedAdapter
from .reconfigurer_model import motions_of
from .vision_features import features_of, features_of_nobody

NOISE_SEEDS = 1_000_000_007  # ComfyUI_InstantID's modulus, above 0 also for faces whose numbers sum to less


class Scaling(NamedTuple):
    """What strengths multiply, of attention.recipes.member_settings.SCALINGS, and the strength in each layer."""

    kind: str = V_ONLY
    strengths: tuple[float, ...] = ()


NOT_SCALED = Scaling()


@dataclass(frozen=True, eq=False)
class AdapterGroup:
    """Members who share an adapter. A source is what one member shows in one picture of a batch.

    members : [M] their places in the cast
    photos  : [M] how many sources each has: one, or one for each photo, which the pictures of a batch take in turn
    rows    : what the adapter reads, photo by photo or person by person, and last nobody
    sources : row numbers of each source, last nobody's; their tokens stand side by side, or are averaged
    widen   : the model's own map from the adapter's tokens to its text tokens (Kolors FaceID), else None
    scaling : what the members' strengths multiply beside their attention
    means   : of each source, whether the tokens of its rows are averaged, each by its share (AdapterInputs.turned)
    """

    adapter: LoadedAdapter
    members: tuple[int, ...]
    photos: tuple[int, ...]
    rows: AdapterInputs = field(repr=False)
    sources: tuple[tuple[int, ...], ...]
    widen: nn.Module | None = field(default=None, repr=False)
    scaling: Scaling = NOT_SCALED
    means: tuple[bool, ...] = field(default=(), repr=False)

    @property
    def people(self) -> int:
        """How many sources there are beside nobody."""
        return len(self.sources) - 1

    @property
    def row_tokens(self) -> int:
        """Tokens of one row."""
        return self.rows.tokens(self.adapter.spec)

    @property
    def runs(self) -> tuple[tuple[tuple[int, ...], ...], ...]:
        """The rows of each source as they go through the adapter: each alone, or all that become one together."""
        joins = self.adapter.format.joins
        pairs = zip(self.sources, self.means, strict=True)
        return tuple((source,) if joins or mean else tuple((row,) for row in source) for source, mean in pairs)

    @property
    def lengths(self) -> tuple[int, ...]:
        """Tokens of each source, tokens of zeros included."""
        return tuple(self.row_tokens * len(runs) + self.adapter.zero_tokens for runs in self.runs)

    @property
    def tokens(self) -> int:
        """Tokens of every source: as many as all have when each is repeated up to the least common multiple."""
        return math.lcm(*self.lengths)


def group_of(
    adapter: LoadedAdapter,
    members: Sequence[int],
    identities: Sequence[Identity],
    photos: str | Sequence[str],
    widen: nn.Module | None = None,
    scaling: Scaling = NOT_SCALED,
) -> AdapterGroup:
    """The group of some members and their identities.

    photos : as in attention.recipes.recipe.Recipe, or one of attention.adapters.inputs.RULES; for each, or for all

    Raises ValueError when an identity does not have what the adapter reads.
    """
    ways = [photos] * len(identities) if isinstance(photos, str) else photos
    parts = [inputs_of(identity, adapter, way) for identity, way in zip(identities, ways, strict=True)]
    sources, means, first = [], [], 0
    for part, way in zip(parts, ways, strict=True):
        rows = tuple(range(first, first + len(part)))
        sources.append([(row,) for row in rows] if way == "one per picture" else [rows])
        means += [way not in ("one per picture", "concatenate")] * len(sources[-1])
        first += len(part)
    rows = joined(parts)
    rows = joined([rows, nobody_for(adapter, rows)])
    flat = [source for own in sources for source in own]
    counts = tuple(map(len, sources))
    return AdapterGroup(adapter, tuple(members), counts, rows, (*flat, (first,)), widen, scaling, (*means, False))


def repeats_in(groups: Sequence[AdapterGroup]) -> Tensor:
    """How many times the tokens of one photo each source of some groups holds, float32 [S]."""
    return copies_in(groups) * torch.tensor([len(runs) for group in groups for runs in group.runs])


def copies_in(groups: Sequence[AdapterGroup]) -> Tensor:
    """How many times the whole of each source of some groups is repeated, float32 [S]."""
    counts = lengths_in(groups)
    return torch.tensor([counts[t.adapter.method.orthogonal] / length for t in groups for length in t.lengths])


def lengths_in(groups: Sequence[AdapterGroup]) -> tuple[int, int]:
    """Tokens of every source as the sources are joined: of plain groups, and of those with an orthogonal method."""
    tokens = [[t.tokens for t in groups if t.adapter.method.orthogonal is aside] for aside in (False, True)]
    return math.lcm(*tokens[0]), math.lcm(*tokens[1])


def methods_of(groups: Sequence[AdapterGroup], members: int) -> tuple[Method, ...]:
    """How each of a cast's members stands beside the text; plainly where one is in no group."""
    found = {member: group.adapter.method for group in groups for member in group.members}
    return tuple(found.get(member, Method()) for member in range(members))


def sources_of(groups: Sequence[AdapterGroup], members: int, call: Call) -> Tensor:
    """Which source each of a cast's members shows, [G, images, M], counted through all groups.

    In the positive prompt's rows it is each member's own photo, in all others their group's nobody.
    """
    sources = torch.zeros(len(call.rows), call.images, members, dtype=torch.long)
    positive = torch.tensor([row.positive for row in call.rows])[:, None]
    pictures, first = torch.tensor(call.pictures or range(call.images)), 0
    for group in groups:
        unconditional = first + group.people
        for member, photos in zip(group.members, group.photos, strict=True):
            own = first + pictures % photos
            sources[..., member] = torch.where(positive, own[None], unconditional)
            first += photos
        first = unconditional + 1
    return sources


def inputs_of(identity: Identity, adapter: LoadedAdapter, photos: str) -> AdapterInputs:
    """What an identity feeds to an adapter: one row for "average" or a rule, else one for each photo that counts.

    Faces that are to do something else are reconfigured photo by photo, so that they have a row each.
    Raises ValueError when the identity does not have it.
    """
    faces = faces_of(identity, adapter) if adapter.format.face else None
    features, vectors = _seen(adapter, identity)
    if faces is not None and features is not None and len(faces) != len(features):
        raise ValueError(
            f"Troupe: identity '{identity.name}' has {len(faces)} faces and {len(features)} photos. Extract it again."
        )
    rows = AdapterInputs(faces, features, vectors)
    weights = list(getattr(identity, "weights", ())) or [1.0] * len(rows)
    moved = motions_of(adapter, identity)
    if moved is not None:
        if photos in RULES and not photos.endswith("average"):
            raise ValueError(
                f"Troupe: the faces of '{identity.name}' are reconfigured photo by photo, and 'photos' at {photos} "
                "does not go with that. Choose average, concatenate or one per picture in Member Settings."
            )
        shares = torch.tensor(weights) / sum(weights)
        rows = replace(rows, motions=moved[0], turned=torch.stack([moved[1], shares], 1))
    if photos != "average" or moved is not None:
        rows = rows.rows([row for row, weight in enumerate(weights) if weight > 0])
        return combined(rows, photos) if photos in RULES and moved is None else rows
    try:
        return averaged(rows, weights)
    except ValueError as error:
        raise ValueError(f"Troupe: of identity '{identity.name}' {error}.") from error


def _seen(adapter: LoadedAdapter, identity: Identity) -> tuple[Tensor | None, Tensor | None]:
    """Features and vectors of each photo, as far as the adapter reads them."""
    if adapter.format.vision == "eva":
        return eva_features_of(adapter, identity)
    return features_of(adapter, identity) if adapter.format.vision else None, None


def faces_of(identity: Identity, adapter: LoadedAdapter) -> Tensor:
    """Face embeddings of each photo as the adapter's format reads them, float32 [P, embedding width]."""
    width, packs = adapter.spec.embedding_width, adapter.packs
    chosen = recogniser_for(identity.embeddings, width, packs, adapter.name, identity.name)
    rows = torch.from_numpy(np.array(identity.embeddings[chosen], dtype=np.float32)).reshape(-1, width)
    if not bool((rows.isfinite().all(-1) & (rows.norm(dim=-1) > 0)).all()):
        raise ValueError(
            f"Troupe: a face embedding of identity '{identity.name}' is empty or not finite. The recogniser file may "
            "be damaged: download the face pack again, and extract the identity anew."
        )
    raw = adapter.format.face == "raw" and not (adapter.settings.peers and adapter.spec.token_width)
    return rows if raw else torch.nn.functional.normalize(rows, dim=-1)


def noise_for(faces: Tensor) -> Tensor:
    """Uniform noise in 0..1 that the faces [R, E] decide, [1, E]: for one person that of ComfyUI_InstantID's nodes."""
    seed = int(faces.sum()) % NOISE_SEEDS
    return torch.rand(1, faces.shape[-1], generator=torch.Generator().manual_seed(seed))


def nobody_for(adapter: LoadedAdapter, people: AdapterInputs | None = None) -> AdapterInputs:
    """What stands for nobody in negative prompts, one row, as the published code has it.

    people : from whose faces the noise is seeded that InstantID may have there (adapter_model.AdapterSettings)
    """
    spec, noise = adapter.spec, adapter.settings.noise
    faces = torch.zeros(1, spec.embedding_width) if adapter.format.face else None
    if noise and people is not None and adapter.spec.kind in INSTANTID_KINDS:
        faces = noise * noise_for(people.faces)
    if adapter.format.vision == "eva":
        return AdapterInputs(faces, *eva_features_of_nobody(adapter.vision))
    return AdapterInputs(faces, features_of_nobody(adapter) if adapter.format.vision else None)
