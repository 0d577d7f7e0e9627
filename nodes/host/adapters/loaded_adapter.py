"""An adapter in memory: its modules, how it is to be used, and what is kept between runs of the graph."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import comfy.model_management
import comfy.model_patcher

from ....attention.adapters.formats import FORMATS, Format
from ....attention.adapters.identity_adapter import IdentityAdapter
from ....attention.adapters.lora import LoraPair
from ....attention.adapters.spec import AdapterSpec
from ....attention.operators.orthogonal import METHODS, Method, zero_tokens_of
from .bounded_cache import BoundedCache

KEPT_BYTES = 256 << 20  # of keys and values per adapter: about fifty people of 16 tokens on SDXL


@dataclass(frozen=True)
class AdapterSettings:
    """How an adapter is to be used.

    format        : a name of attention.adapters.formats.FORMATS, or "auto"
    recogniser    : the face pack whose embeddings it reads, "auto" for its format's, "any" for whichever there is
    crop          : what a CLIP vision encoder sees of a photo: "auto" for what the format defines, else ADAPTER_CROPS
    structure     : in FaceID-plus v2, how much of the photo is added to the face embedding
    lora_strength : of the LoRA inside the file; 0 leaves it out
    peers         : do as older packs do where they differ from the published code
    noise         : in InstantID's, how much uniform noise in 0..1 stands in for nobody's face in negative prompts
    method        : in PuLID's, a name of attention.operators.orthogonal.METHODS
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
    reconfigurer : changes what the faces of people do (reconfigurer_model.LoadedReconfigurer), else None
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
    reconfigurer: Any = None
    kept: BoundedCache = field(default_factory=lambda: BoundedCache(KEPT_BYTES), repr=False)

    @cached_property
    def patcher(self) -> Any:
        """ComfyUI's handle on what is loaded beside the model, in PuLID's for FLUX.1. There is one, and patched models

        have clones of it: the host says "memory leak" of weights that outlive the last handle on them.
        """
        return comfy.model_patcher.CoreModelPatcher(
            self.module.crossings,
            load_device=comfy.model_management.get_torch_device(),
            offload_device=comfy.model_management.unet_offload_device(),
        )

    @property
    def format(self) -> Format:
        """What its format reads."""
        return FORMATS[self.spec.kind]

    @property
    def method(self) -> Method:
        """How its people stand beside the text."""
        if self.format.vision != "eva" or self.format.flux:
            return Method()
        return replace(METHODS[self.settings.method], pooled=self.settings.peers)

    @property
    def zero_tokens(self) -> int:
        """Tokens of zeros beside those of each source."""
        if self.format.vision != "eva" or self.format.flux or self.settings.zero_tokens < 0:
            return zero_tokens_of(self.spec.kind, self.settings.method)
        return self.settings.zero_tokens
