"""The adapter formats: what each reads, and how to tell them apart by the keys and shapes of an `image_proj` part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from .parts import AdapterFormatError, first_of

ARCFACE = 512  # numbers in the face embedding of every published adapter
INSTANTID_KINDS = ("instantid", "faceid portrait unnorm")  # nothing but their training tells these files apart
KOLORS_TOKEN = 4096  # Kolors' own text width, before the model's `encoder_hid_proj`


@dataclass(frozen=True)
class Format:
    """A family of adapters that read the same things.

    module      : which of attention.adapters.projections makes its tokens
    face        : "normed" or "raw" face embeddings, "" for none
    vision      : what of a CLIP vision encoder: "image_embeds", "penultimate", "" for nothing; "eva" for what
                  PuLID reads of EVA02-CLIP (attention.adapters.eva_vision)
    crop        : of the photo that the encoder sees, as face.photo_crops names them
    side        : pixels along a side of that crop, 0 for what the encoder asks for
    recognisers : face packs whose embeddings it was trained with; the first one is the usual one
    shortcut    : in FaceID-plus, whether the face's own tokens are added to what the image makes of them
    joins       : whether all photos of a person that act together go through its module as one
    flux        : whether people are added to the picture's tokens behind blocks of FLUX.1, not to cross-attention
    """

    module: str
    face: str = ""
    vision: str = ""
    crop: str = "whole"
    side: int = 0
    recognisers: tuple[str, ...] = ()
    shortcut: bool = False
    joins: bool = False
    flux: bool = False

    @property
    def part(self) -> str:
        """What its files call the part that makes tokens, for messages; other names are read as well."""
        return "pulid_encoder" if self.flux else "image_proj"


FORMATS = {
    "ip-adapter": Format("linear", vision="image_embeds"),
    "ip-adapter plus": Format("resampler", vision="penultimate"),
    "ip-adapter full-face": Format("mlp", vision="penultimate", crop="head"),
    "faceid": Format("faceid", face="normed", recognisers=("buffalo_l",)),
    "faceid portrait unnorm": Format("resampler", face="raw", recognisers=("buffalo_l",)),
    "instantid": Format("resampler", face="raw", recognisers=("antelopev2",)),
    "faceid plus": Format("plus", "normed", "penultimate", "aligned", 224, ("buffalo_l",)),
    "faceid plus v2": Format("plus", "normed", "penultimate", "aligned", 224, ("buffalo_l",), shortcut=True),
    "dynamicid": Format("plus", "normed", "penultimate", "whole", 0, ("buffalo_l",)),
    "kolors plus": Format("resampler", vision="penultimate"),
    "kolors faceid plus": Format("plus", "raw", "penultimate", "square", 336, ("antelopev2",), shortcut=True),
    "pulid": Format("id encoder", "raw", "eva", "portrait", 512, ("antelopev2",)),
    "pulid v1.1": Format("id former", "raw", "eva", "portrait", 512, ("antelopev2",), joins=True),
    "pulid flux": Format("id former", "raw", "eva", "portrait", 512, ("antelopev2",), joins=True, flux=True),
}

# Formats that look like another by their shapes alone, and a key that they have.
TOLD = {"pulid flux": "id_embedding_mapping.0.weight", "dynamicid": "perceiver_resampler.proj_in.weight"}


@dataclass(frozen=True)
class Choice:
    """A format and why it was taken, in words that complete "read as X, because ..."."""

    kind: str
    reason: str


def choose_format(projection: Mapping[str, Tensor], override: str = "auto", told: str = "") -> Choice:
    """The format of an `image_proj` part; an override decides between those that look alike.

    told : the format that the names of the file's parts, or the layers beside this one, give away; empty for none

    Raises AdapterFormatError when the part is of no known format, or contradicts the override.
    """
    found = candidates(projection, told)
    if not found:
        raise AdapterFormatError(
            f"it looks like {_stranger(projection)}, which this version does not read. It reads {', '.join(FORMATS)}."
        )
    if override not in ("auto", *found):
        raise AdapterFormatError(
            f"it looks like {' or '.join(found)}, but '{override}' was chosen as its format. Set 'format' to auto."
        )
    if override != "auto":
        return Choice(override, "it was chosen as the format, and the file's shapes allow it")
    kind, *others = found
    if not others:
        return Choice(kind, "its keys and shapes are those of this format alone")
    return Choice(
        kind, f"its keys and shapes are also those of {' and '.join(others)}; set 'format' if it is one of them"
    )


def _stranger(projection: Mapping[str, Tensor]) -> str:
    first = projection.get("proj.0.weight")
    if first is not None and first.shape[-1:] == (1152,):
        return "InstantX' IP-Adapter for FLUX"
    return f"an unknown kind of IP-Adapter (its image_proj holds {first_of(projection)})"


def candidates(projection: Mapping[str, Tensor], told: str = "") -> tuple[str, ...]:
    """The formats that an `image_proj` part may be of, the likeliest first; none for what is not known.

    (the layouts of the files that were published with arXiv 2308.06721, 2401.07519, 2404.16022 and 2503.06505, and of
    Kolors' adapters)
    """

    def columns(key: str) -> int:
        tensor = projection.get(key)
        return tensor.shape[-1] if tensor is not None and tensor.ndim else 0

    def rows(key: str) -> int:
        tensor = projection.get(key)
        return tensor.shape[0] if tensor is not None and tensor.ndim else 0

    if told:
        return (told,) if TOLD[told] in projection else ()
    if "body.0.weight" in projection:
        return ("pulid",)
    if "id_embedding_mapping.0.weight" in projection:
        return ("pulid v1.1",)
    if "perceiver_resampler.proj_in.weight" in projection:
        if rows("norm.weight") == KOLORS_TOKEN or rows("perceiver_resampler.proj_in.weight") == KOLORS_TOKEN:
            return ("kolors faceid plus",)
        return ("faceid plus v2", "faceid plus")
    if "proj.3.weight" in projection:
        return ("ip-adapter full-face",)
    if "latents" in projection and "proj_in.weight" in projection:
        if columns("proj_in.weight") == ARCFACE:
            return ("faceid portrait unnorm", "instantid")
        of_kolors = columns("proj_in.weight") == 1024 and rows("proj_out.weight") == 2048
        return ("kolors plus",) if of_kolors else ("ip-adapter plus",)
    if "proj.0.weight" in projection and "proj.2.weight" in projection:
        return ("faceid",) if columns("proj.0.weight") == ARCFACE else ()
    return ("ip-adapter",) if "proj.weight" in projection else ()
