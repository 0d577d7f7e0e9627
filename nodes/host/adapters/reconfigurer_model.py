"""DynamicID's reconfigurer in memory: read from its two files, and run once for each person, on the CPU in float32."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ....attention.adapters.key_points import KeyPointEncoder, drawn
from ....attention.adapters.parts import AdapterFormatError
from ....attention.adapters.reconfigurer import Reconfigurer
from ....attention.adapters.reconfigurer_weights import read_key_points, read_reconfigurer
from ....face.identity import Identity
from ..model_folders import adapter_files, adapter_paths
from .adapter_file import read_state
from .loaded_adapter import LoadedAdapter

ENCODER = "key_point_encoder"  # the second file is called as the first, with this in place of IMR
log = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False)
class LoadedReconfigurer:
    """A reconfigurer and its key point encoder.

    name   : of its file, for messages
    report : what the files were read as
    """

    name: str
    module: Reconfigurer = field(repr=False)
    encoder: KeyPointEncoder = field(repr=False)
    report: str = ""

    @torch.inference_mode()
    def motions(self, identity: Identity) -> Tensor:
        """What each photo's face does and is to do, float32 [P, 2, motion width].

        Raises ValueError where the words were made by another text encoder than those it was trained with.
        """
        given, words = identity.motion, self.module.shape.words
        if given.words.shape[-1] != words:
            raise ValueError(
                f"Troupe: the reconfigurer '{self.name}' reads words of {words} numbers, and those of "
                f"'{identity.name}' have {given.words.shape[-1]}. Connect the CLIP of the checkpoint family that it "
                "was made for to Reconfigure Identity."
            )
        landmarks = torch.from_numpy(given.landmarks).flatten(0, 1)  # [2 P, 106, 2]
        points = self.encoder(drawn(landmarks)).unflatten(0, (-1, 2))
        return torch.cat([points, torch.from_numpy(given.words)], -1)

    @torch.inference_mode()
    def __call__(self, tokens: Tensor, motions: Tensor, strength: Tensor) -> Tensor:
        """Tokens [R, T, W] towards what the motions [R, 2, motion width] say, by a strength [R] of 0 to 1 each.

        A row of strength 0 is returned as it is, bit for bit.
        """
        rows = strength.nonzero()[:, 0]
        made = tokens.clone()
        if len(rows):
            old = tokens[rows].float().cpu()
            new = self.module(old, *motions[rows].float().cpu().unbind(1))
            made[rows] = torch.lerp(old, new, strength[rows].float().cpu()[:, None, None]).to(tokens)
        return made


def load_reconfigurer(path: Path, name: str) -> LoadedReconfigurer:
    """Read a reconfigurer and, from the file beside it, its key point encoder.

    Raises ValueError that names the file, says what was found and what to do.
    """
    beside = encoder_path(path)
    if not beside.is_file():
        raise ValueError(
            f"Troupe, Load Reconfigurer: '{name}' needs its key point encoder beside it, and there is no {beside.name} "
            f"in {beside.parent}. Download it from where the reconfigurer comes from."
        )
    try:
        widths, encoder_state = read_key_points(_plain(read_state(beside, beside.name)))
    except AdapterFormatError as error:
        raise ValueError(f"Troupe, Load Reconfigurer: '{beside.name}' cannot be used: {error}") from error
    try:
        shape, state = read_reconfigurer(_plain(read_state(path, name)), widths[-1])
    except AdapterFormatError as error:
        raise ValueError(f"Troupe, Load Reconfigurer: '{name}' cannot be used: {error}") from error
    module, encoder = Reconfigurer(shape), KeyPointEncoder(widths)
    for network, weights in ((module, state), (encoder, encoder_state)):
        network.load_state_dict(weights)
        network.float().eval().requires_grad_(False)
    report = (
        f"Read as DynamicID's reconfigurer for tokens of width {shape.token} ({shape.apart} and {shape.together} "
        f"layers of {shape.width}), words of {shape.words} numbers and {ENCODER} of {shape.points}."
    )
    log.info("Troupe: %s: %s", name, report)
    return LoadedReconfigurer(name, module, encoder, report)


def with_reconfigurer(adapter: LoadedAdapter, reconfigurer: LoadedReconfigurer) -> LoadedAdapter:
    """The adapter whose people may do something else than on their photos.

    Raises ValueError where its tokens are not those that the reconfigurer was trained on.
    """
    spec, shape = adapter.spec, reconfigurer.module.shape
    if adapter.format.joins or spec.projected_width != shape.token or spec.tokens == 0:
        raise ValueError(
            f"Troupe, Load Identity Adapter: the reconfigurer '{reconfigurer.name}' changes tokens of width "
            f"{shape.token}, and '{adapter.name}' ({spec.kind}) makes them of width {spec.projected_width}. A "
            "reconfigurer fits the one adapter that it was trained with: connect it to that one, or to none."
        )
    return replace(adapter, reconfigurer=reconfigurer)


def encoder_path(path: Path) -> Path:
    """Where a reconfigurer's key point encoder lies: its name with IMR replaced, else the one of the same folder."""
    if "IMR" in path.stem:
        return path.with_name(path.name.replace("IMR", ENCODER))
    return path.with_name(ENCODER + path.suffix)


def reconfigurer_files() -> list[str]:
    """Names of files that have a key point encoder beside them, those called IMR first."""
    names = [name for name in adapter_files() if ENCODER not in name]
    found = [name for name in names if any(encoder_path(path).is_file() for path in adapter_paths(name))]
    return sorted(found, key=lambda name: "IMR" not in name)


def _plain(state: Mapping) -> Mapping:
    return {str(key): value for key, value in state.items()}


def motions_of(adapter: LoadedAdapter, identity: Identity) -> tuple[Tensor, Tensor] | None:
    """What an identity's faces do and are to do [P, 2, motion width], and how strongly [P]; None if nothing is asked.

    Raises ValueError where something is asked that the adapter has nothing for.
    """
    asked = getattr(identity, "motion", None)
    if asked is None or not np.any(asked.strength):
        return None
    if adapter.reconfigurer is None:
        raise ValueError(
            f"Troupe: '{identity.name}' is to look {asked.said or 'otherwise'} (Reconfigure Identity), and the adapter "
            f"'{adapter.name}' has no reconfigurer. Connect Load Reconfigurer to Load Identity Adapter, or take "
            "Reconfigure Identity out."
        )
    return adapter.reconfigurer.motions(identity), torch.from_numpy(asked.strength)
