"""The adapter of a cast to which none is connected: of the user's files, the first in a fixed order that fits.

It has to fit the model, the faces that people bring, and what is installed: the face pack that it was trained with and
the encoder that it sees pictures with. Nothing is loaded before all of that is known.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from ....attention.adapters.formats import FORMATS
from ....attention.operators.modes import takes_methods
from ....attention.recipes.cast import Cast, Member
from ....attention.recipes.recipe import Recipe
from ..adapters.adapter_model import load_adapter
from ..adapters.adapter_outline import Outline, adapter_outlines
from ..adapters.loaded_adapter import LoadedAdapter
from ..adapters.vision_encoder import encoder_file, what_it_sees_through
from ..effects.entries import is_somebody
from ..faces.late_faces import installed_pack
from ..faces.recognisers import recogniser_for
from ..model.blocks import check_fit, cross_attention_blocks, unet_of, widening
from ..model.families import family_of
from ..model.family import UNET, Family
from ..model_files import ENCODERS, last_part, published, where_to_get

log = logging.getLogger(__name__)
# Which format is taken where several fit: those that keep a likeness best before those that are lighter, and those
# that read faces before those that read pictures as a whole.
ORDER = (
    "instantid",
    "pulid v1.1",
    "pulid",
    "pulid flux",
    "kolors faceid plus",
    "faceid plus v2",
    "faceid plus",
    "faceid",
    "faceid portrait unnorm",
    "ip-adapter full-face",
    "ip-adapter plus",
    "kolors plus",
    "ip-adapter",
)
PORTRAIT_TOKENS = 16  # of files for portraits from several photos, which come behind their kin
NOT_PEOPLE = ("composition", "style")  # in names of files that carry something else of a picture
# Token width and layers of a model -> what to get first: adapter, face pack, encoder.
SD15, SDXL = (768, 16), (2048, 70)
FIRST_FILES = {
    SD15: ("ip-adapter-faceid-plusv2_sd15.bin", "buffalo_l", ENCODERS[0].name),
    SDXL: ("ip-adapter.bin", "antelopev2"),
}

# Adapters that were chosen, by the network that they act in: they go with it.
_kept: weakref.WeakKeyDictionary[Any, tuple[tuple, LoadedAdapter]] = weakref.WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Chosen:
    """An adapter, and lines that say which it is and why; no lines where one was connected or none is needed."""

    adapter: LoadedAdapter | None
    lines: tuple[str, ...] = ()


class Lack(NamedTuple):
    """What a file that fits the model lacks: a clause, and the file to get; empty for nothing."""

    said: str = ""
    get: str = ""


class Passed(NamedTuple):
    """A file that was passed over: not made for the model, or lacking something."""

    outline: Outline
    misfit: str
    lack: Lack


def adapter_for(
    model: Any, cast: Cast, adapter: LoadedAdapter | None, recipe: Recipe, strength: float, vae: Any = None
) -> Chosen:
    """The connected adapter, or the one of the user's files that fits.

    Arguments as nodes.host.cast.model_patch.patch_cast has them. FLUX.1 with a VAE takes people from their photos;
    without one PuLID is looked for.
    Raises ValueError where the model needs an adapter and no file fits, with what there is and what to get.
    """
    lacking = [member for member in cast if member.adapter is None and is_somebody(member.identity)]
    acting = strength and any(member.strength for member in cast)
    if adapter is not None or not lacking or not acting:
        return Chosen(adapter)
    family = family_of(model)
    if family.kind != UNET and (vae is not None or not family.picture_places(unet_of(model.model))):
        return Chosen(None)
    passed: list[Passed] = []
    for outline in sorted(adapter_outlines(), key=_rank):
        misfit = outline.fault or _misfit(outline, model, family)
        lack = Lack() if misfit else _lack(outline, lacking)
        if not misfit and not lack.said:
            return _loaded(model, outline, recipe, [one for one in passed if one.lack.said])
        passed.append(Passed(outline, misfit, lack))
    if family.kind != UNET:
        log.info("Troupe: there is no PuLID file for this FLUX.1 model.")
        return Chosen(None)
    raise ValueError(_nothing_fits(model, lacking, passed))


def _rank(outline: Outline) -> tuple:
    spec, name = outline.spec, last_part(outline.name)
    if spec is None:
        return (len(ORDER),)
    portrait = spec.kind == "faceid" and spec.tokens >= PORTRAIT_TOKENS
    other = any(word in name for word in NOT_PEOPLE)
    return ORDER.index(spec.kind), other, portrait, not published(name), name


def _misfit(outline: Outline, model: Any, family: Family) -> str:
    """What else a file is made for than a model; empty where it is made for it."""
    spec = outline.spec
    if family.kind == UNET and not spec.picture_width:
        try:
            check_fit(list(cross_attention_blocks(model)), spec.cross_width, spec.layer_widths, outline.name)
            widening(model, outline)
        except ValueError:
            return "for another model"
        return ""
    if family.kind == UNET or not spec.picture_width:
        return "for another kind of model"
    network = unet_of(model.model)
    found = len(family.picture_places(network)), family.picture_width(network)
    return "" if found == (len(spec.layer_widths), spec.picture_width) else "for another FLUX.1"


def _lack(outline: Outline, people: Sequence[Member]) -> Lack:
    """A face pack, faces by that pack, or an encoder."""
    if FORMATS[outline.spec.kind].face:
        needed = " or ".join(outline.packs) or "a face pack that it does not name"
        for member in people:
            identity = member.identity
            if getattr(identity, "choice", None) is not None:
                if not installed_pack(outline.packs):
                    return Lack(f"needs the face pack {needed}, which is not there", (outline.packs or ("",))[0])
            elif not _described(outline, identity):
                return Lack(f"reads faces described by {needed}, which those of '{identity.name}' are not")
    if encoder_file(outline.spec) is None:
        name = what_it_sees_through(outline.spec)
        return Lack(f"sees pictures through {name or 'an encoder'}, which is not there", name)
    return Lack()


def _described(outline: Outline, identity: Any) -> bool:
    try:
        width, packs = outline.spec.embedding_width, outline.packs
        recogniser_for(identity.embeddings, width, packs, outline.name, identity.name)
    except ValueError:
        return False
    return True


def _loaded(model: Any, outline: Outline, recipe: Recipe, passed: Sequence[Passed]) -> Chosen:
    spec, settings, own = outline.spec, outline.settings, FORMATS[outline.spec.kind]
    if own.vision == "eva" and not own.flux and not takes_methods(recipe):
        settings = replace(settings, method="neutral")
    facts = outline.path.stat()
    key = str(outline.path), facts.st_mtime_ns, facts.st_size, settings
    kept = _kept.get(model.model)
    if kept is None or kept[0] != key:
        kept = _kept[model.model] = key, load_adapter(outline.path, outline.name, settings)
    said = [f"No adapter is connected: {outline.name} ({spec.kind}) fits the model."]
    if own.face:
        said.append(f"It reads faces by {installed_pack(outline.packs) or ' or '.join(outline.packs)}.")
    if own.vision:
        said.append(f"It sees pictures through {encoder_file(spec)}.")
    said += [f"Passed over: {one.outline.name} {one.lack.said}." for one in passed]
    log.info("Troupe: %s", " ".join(said))
    return Chosen(kept[1], tuple(said))


def _nothing_fits(model: Any, people: Sequence[Member], passed: Sequence[Passed]) -> str:
    blocks = list(cross_attention_blocks(model))
    fitting = [one for one in passed if one.lack.said]
    others = [f"{one.outline.name} ({one.misfit})" for one in passed if one.misfit]
    wanted = [one.lack.get for one in fitting if one.lack.get][:1]
    if not fitting and blocks:
        wanted = FIRST_FILES.get((blocks[0].context, len(blocks)), ())
    names = " and ".join(f"'{member.identity.name}'" for member in people)
    said = [f"Troupe: no adapter is connected, and no file found can draw {names} with this model."]
    said += [f"{one.outline.name} fits, but {one.lack.said}." for one in fitting]
    said.append(f"Looked at: {', '.join(others) or 'nothing else'}.")
    said += [f"{name}: {where_to_get(name)}" for name in wanted]
    if not wanted:
        said.append("Connect Load Identity Adapter with an adapter that was trained for this model.")
    return " ".join(said)
