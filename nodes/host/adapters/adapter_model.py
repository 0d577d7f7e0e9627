"""Read an adapter file into memory, ready to be used."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import Any

import comfy.ops
import torch

from ....attention.adapters.identity_adapter import IdentityAdapter
from ....attention.adapters.weights import describe
from ..faces.recognisers import packs_for
from .adapter_file import named_recogniser, published_format, read_adapter_file
from .loaded_adapter import AdapterSettings, LoadedAdapter
from .vision_encoder import encoder_for

AS_IT_IS = AdapterSettings()
log = logging.getLogger(__name__)
BY_CONTENT = "it is the published file, byte for byte"
ADAPTER_CROPS = ("auto", "whole picture", "face")


def load_adapter(path: Path, name: str, settings: AdapterSettings = AS_IT_IS, vision: Any = None) -> LoadedAdapter:
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
