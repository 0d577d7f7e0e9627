"""Faces of members who bring their photos alone, found by the face pack that their adapter was trained with."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from ....attention.recipes.cast import Cast
from ....face.engine import FaceEngine, NoFaceFound
from ....face.identity import Identity
from ....face.late_faces import with_faces
from ....face.pack import find_packs
from ..model_folders import insightface_folders
from .face_packs import load_pack

log = logging.getLogger(__name__)
engine_of = cache(lambda pack: load_pack(pack, "auto"))  # a pack is loaded once


def described_cast(cast: Cast, engine: FaceEngine, node: str) -> Cast:
    """The cast with everybody's faces found by `engine`; ValueError, naming `node`, for a photo without one."""
    return _with(cast, lambda member: [engine], node)


def cast_for_adapters(cast: Cast, adapter: Any) -> Cast:
    """The cast with the faces found that its adapters read; the pack is the one that each was trained with.

    adapter : nodes.host.adapters.adapter_model.LoadedAdapter for members that bring none of their own, or None
    Raises ValueError where that pack is not installed or not known, and for a photo without a face.
    """

    def chosen(member: Any) -> list[FaceEngine]:
        owned = (member.adapter or adapter, member.settings.second)
        reading = [own for own in owned if own is not None and own.format.face]
        return list(dict.fromkeys(engine_of(pack_for(own, member.identity.name)) for own in reading))

    return _with(cast, chosen, "Apply Cast")


def installed_pack(packs: Sequence[str]) -> str:
    """The first installed one of an adapter's face packs, or the only one where it reads any; else empty."""
    installed = list(find_packs(insightface_folders()))
    fitting = [pack for pack in packs or installed if pack in installed]
    return fitting[0] if fitting and (packs or len(fitting) == 1) else ""


def pack_for(adapter: Any, person: str) -> str:
    """The installed face pack that an adapter was trained with. Raises ValueError where it is missing or unknown."""
    pack = installed_pack(adapter.packs)
    if pack:
        return pack
    installed = list(find_packs(insightface_folders()))
    there = f"installed are: {', '.join(installed) or 'none'}"
    if adapter.packs:
        raise ValueError(
            f"Troupe, Apply Cast: '{person}' brings photos alone, and the adapter '{adapter.name}' reads faces of the "
            f"face pack {' or '.join(adapter.packs)}; {there}. Unpack it into models/insightface/models, or connect "
            "Load Face Engine to Cast Board."
        )
    raise ValueError(
        f"Troupe, Apply Cast: '{person}' brings photos alone, and the adapter '{adapter.name}' does not say which face "
        f"pack it was trained with; {there}. Connect Load Face Engine to Cast Board."
    )


def _with(cast: Cast, engines_for: Callable[[Any], list[FaceEngine]], node: str) -> Cast:
    members = []
    for member in cast:
        engines = engines_for(member) if getattr(member.identity, "choice", None) is not None else []
        found = [_described(member.identity, engine, node) for engine in engines]
        if found:
            embeddings = {name: rows for identity in found for name, rows in identity.embeddings.items()}
            member = replace(member, identity=replace(found[0], embeddings=embeddings))
        members.append(member)
    return tuple(members)


def _described(identity: Identity, engine: FaceEngine, node: str) -> Identity:
    try:
        described, _ = with_faces(identity, engine)
    except NoFaceFound as error:
        raise NoFaceFound(f"Troupe, {node}: {error}") from error
    log.info("Troupe, %s: the face of '%s' was found with the face pack %s.", node, identity.name, engine.name)
    return described
