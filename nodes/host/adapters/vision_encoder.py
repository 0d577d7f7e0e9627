"""Which CLIP vision encoder an adapter needs, whether a given one is it, and where to find it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import Any

import comfy.clip_vision
import folder_paths

from ....attention.adapters.formats import FORMATS
from ....attention.adapters.spec import AdapterSpec
from ..model_files import where_to_get
from .adapter_file import UNREADABLE
from .eva_encoder import eva_encoder_for
from .eva_files import NAME as EVA
from .eva_files import eva_files
from .loaded_adapter import LoadedAdapter
from .vision_files import EncoderShape, vision_files

log = logging.getLogger(__name__)
KNOWN = {
    (1280, 1024): "CLIP ViT-H (CLIP-ViT-H-14-laion2B-s32B-b79K.safetensors)",
    (1664, 1280): "CLIP ViT-bigG (CLIP-ViT-bigG-14-laion2B-39B-b160k.safetensors)",
    (1024, 768): "CLIP ViT-L (clip-vit-large-patch14-336.bin for Kolors, at 336 pixels)",
}
KOLORS_SIDE = 336


@dataclass(frozen=True)
class Need:
    """What an adapter reads of an encoder: "image_embeds" or "penultimate" features of a width, at a picture size."""

    which: str
    width: int
    side: int = 0

    def fits(self, shape: EncoderShape) -> bool:
        """Whether an encoder of that shape gives it."""
        found = shape.embedding if self.which == "image_embeds" else shape.hidden
        return found == self.width and self.side in (0, shape.side)

    @property
    def file(self) -> str:
        """The published file that gives it; empty where none is known."""
        names = [name for (hidden, out), name in KNOWN.items() if self.fits(EncoderShape(hidden, out, self.side))]
        return names[0].partition("(")[2].partition(")")[0].partition(" ")[0] if names else ""

    def __str__(self) -> str:
        what = "an image embedding" if self.which == "image_embeds" else "features of the last layer but one"
        names = [name for (hidden, out), name in KNOWN.items() if self.fits(EncoderShape(hidden, out, self.side))]
        return f"{what} of {self.width} numbers" + (f", as {names[0]} gives" if names else "")


def need_of(spec: AdapterSpec) -> Need:
    """What an adapter reads."""
    side = KOLORS_SIDE if spec.kind.startswith("kolors") else 0
    return Need(FORMATS[spec.kind].vision, spec.vision_width, side)


def encoder_file(spec: AdapterSpec) -> str | None:
    """The name of the file that an adapter of that shape would see pictures through; nothing is loaded.

    Empty where it reads none, None where there is no such file.
    """
    if not FORMATS[spec.kind].vision:
        return ""
    if FORMATS[spec.kind].vision == "eva":
        return next(iter(eva_files()), None)
    need = need_of(spec)
    return next((file.name for file in vision_files() if file.shape and not file.fault and need.fits(file.shape)), None)


def what_it_sees_through(spec: AdapterSpec) -> str:
    """The name of a published file that such an adapter sees pictures through; empty for an unknown one."""
    return EVA if FORMATS[spec.kind].vision == "eva" else need_of(spec).file


def encoder_for(adapter: LoadedAdapter, given: Any = None) -> Any:
    """The encoder that an adapter needs: the given one, or the first in ComfyUI's clip_vision folders whose shape fits.

    For PuLID it is an EvaEncoder. Raises ValueError that says what was needed, what there is and what to do.
    """
    if adapter.format.vision == "eva":
        return eva_encoder_for(adapter, given)
    need = need_of(adapter.spec)
    if given is not None:
        _check(adapter.name, need, shape_of(given))
        return given
    files = vision_files()
    for index, file in enumerate(files):
        try:
            encoder = comfy.clip_vision.load(str(file.path)) if file.shape and need.fits(file.shape) else None
        except UNREADABLE as error:
            said = (str(error).strip() or type(error).__name__).splitlines()[0][:120]
            files[index] = replace(file, fault=f"cannot be read: {said}")
            log.warning("Troupe: %s in models/clip_vision is passed over; it cannot be read: %s", file.name, said)
            continue
        if encoder is not None:
            log.info("Troupe: '%s' reads pictures through %s, which has the right shape.", adapter.name, file.name)
            return encoder
    folders = ", ".join(folder_paths.get_folder_paths("clip_vision"))
    raise ValueError(
        f"Troupe: the adapter '{adapter.name}' reads {need}, and no CLIP vision encoder of that shape was found in "
        f"models/clip_vision (looked in {folders}; found: {', '.join(map(str, files)) or 'none'}). Put one there, or "
        f"connect Load CLIP Vision to 'clip_vision'. {where_to_get(need.file)}".rstrip()
    )


def shape_of(encoder: Any) -> EncoderShape:
    """The shape of one of ComfyUI's encoders; zeros for what it does not say."""
    config = getattr(encoder, "config", {})
    sizes = (config.get(key, 0) for key in ("hidden_size", "projection_dim"))
    return EncoderShape(*sizes, getattr(encoder, "image_size", 0))


def _check(adapter: str, need: Need, shape: EncoderShape) -> None:
    if need.fits(shape):
        return
    known = KNOWN.get((shape.hidden, shape.embedding))
    raise ValueError(
        f"Troupe: the adapter '{adapter}' reads {need}; the connected CLIP vision encoder is "
        f"{known.split(' (')[0] + ', ' if known else ''}{shape}. Load the other one in Load CLIP Vision."
    )
