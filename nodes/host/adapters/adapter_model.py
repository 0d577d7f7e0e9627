"""A loaded adapter: its modules, how it is to be used, and what is kept between runs of the graph."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import comfy.ops
import torch

from ....attention.adapter_formats import FORMATS, Format
from ....attention.adapter_lora import LoraPair
from ....attention.adapter_spec import AdapterSpec
from ....attention.adapter_weights import describe
from ....attention.orthogonal import METHODS, Method, zero_tokens_of
from ....attention.projections import IdentityAdapter
from ..faces.recognisers import packs_for
from .adapter_file import named_recogniser, read_adapter_file
from .bounded_cache import BoundedCache
from .published_files import published_format
from .vision_encoder import encoder_for

log = logging.getLogger(__name__)
KEPT_BYTES = 256 << 20  # of keys and values per adapter: about fifty people of 16 tokens on SDXL
BY_CONTENT = "it is the published file, byte for byte"
ADAPTER_CROPS = ("auto", "whole picture", "face")


@dataclass(frozen=True)
class AdapterSettings:
    """How an adapter is to be used.

    format        : a name of attention.adapter_formats.FORMATS, or "auto"
    recogniser    : the face pack whose embeddings it reads, "auto" for its format's, "any" for whichever there is
    crop          : what a CLIP vision encoder sees of a photo: "auto" for what the format defines, else ADAPTER_CROPS
    structure     : in FaceID-plus v2, how much of the photo is added to the face embedding
    lora_strength : of the LoRA inside the file; 0 leaves it out
    peers         : do as older packs do where they differ from the published code
    noise         : in InstantID's, how much uniform noise in 0..1 stands in for nobody's face in negative prompts
    method        : in PuLID's, a name of attention.orthogonal.METHODS
    zero_tokens   : in PuLID's, tokens of zeros beside a person's; negative for those that the method has
    """

    format: str = "auto"
    recogniser: str = "auto"
    crop: str = "auto"
    structure: float = 1.0
    lora_strength: float = 1.0
    peers: bool = False
    noise: float = 0.0
    method: str = "fidelity"
    zero_tokens: int = -1


@dataclass(frozen=True, eq=False)
class LoadedAdapter:
    """An adapter in memory.

    name     : its file, for messages
    spec     : its shape
    module   : its weights, on the CPU; ComfyUI's operations bring each to the device when it is used, which is once
    settings : how it is to be used
    packs    : face packs whose embeddings it reads; empty for any
    vision   : ComfyUI's CLIP vision encoder, or an EvaEncoder, where the format needs one
    lora     : for the model itself; empty where there is none or it is not wanted
    report   : what the file was taken for, and why
    kept     : keys and values of people, by the content of what they were made from; goes with the adapter
    """

    name: str
    spec: AdapterSpec
    module: IdentityAdapter
    settings: AdapterSettings = AdapterSettings()
    packs: tuple[str, ...] = ()
    vision: Any = None
    lora: tuple[LoraPair, ...] = field(default=(), repr=False)
    report: str = ""
    kept: BoundedCache = field(default_factory=lambda: BoundedCache(KEPT_BYTES), repr=False)

    @property
    def format(self) -> Format:
        """What its format reads."""
        return FORMATS[self.spec.kind]

    @property
    def method(self) -> Method:
        """How its people stand beside the text."""
        return METHODS[self.settings.method] if self.format.vision == "eva" else Method()

    @property
    def zero_tokens(self) -> int:
        """Tokens of zeros beside those of each source."""
        if self.format.vision != "eva" or self.settings.zero_tokens < 0:
            return zero_tokens_of(self.spec.kind, self.settings.method)
        return self.settings.zero_tokens


def load_adapter(
    path: Path, name: str, settings: AdapterSettings = AdapterSettings(), vision: Any = None
) -> LoadedAdapter:
    """Read an adapter file, `.safetensors` or `.bin`.

    vision : a CLIP vision encoder; without one, a format that needs one looks for it in ComfyUI's own folders
    Raises ValueError that names the file, says what was found and what to do.
    """
    known = published_format(path) if settings.format == "auto" else None
    weights = read_adapter_file(path, name, known or settings.format)
    spec, reason = weights.spec, BY_CONTENT if known else weights.reason
    with torch.device("meta"):
        module = IdentityAdapter(spec, comfy.ops.manual_cast, weights.keys[0].dtype)
    module.load(weights, assign=True)
    module.eval().requires_grad_(False)
    module.projection.structure = settings.structure
    undecided, named = settings.format == "auto" and not known, named_recogniser(path)
    packs = packs_for(spec, settings.recogniser, undecided, named)
    report = describe(spec, reason, weights.extras) + (f" It was trained with {packs[0]}." if named and packs else "")
    loaded = LoadedAdapter(name, spec, module, settings, packs, report=report)
    loaded = replace(
        loaded,
        vision=encoder_for(loaded, vision) if loaded.format.vision else None,
        lora=weights.lora if settings.lora_strength else (),
    )
    log.info("Troupe: %s: %s", name, loaded.report)
    return loaded
