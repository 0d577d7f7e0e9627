"""Load an adapter file safely into modules that ComfyUI's memory management can move, count and evict."""

from __future__ import annotations

import logging
import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import comfy.model_management
import comfy.model_patcher
import comfy.ops
import comfy.utils
from safetensors import SafetensorError

from ...attention.adapter_weights import AdapterFormatError, AdapterSpec, read_adapter
from ...attention.projections import IdentityAdapter

UNREADABLE = (OSError, RuntimeError, ValueError, KeyError, TypeError, AttributeError, IndexError, EOFError)
UNREADABLE += (SafetensorError, pickle.UnpicklingError, zipfile.BadZipFile)


@dataclass(frozen=True, eq=False)
class LoadedAdapter:
    """An adapter in memory.

    name    : its file, for messages
    spec    : its shape
    patcher : ComfyUI's handle on the weights; `.model` is an attention.projections.IdentityAdapter
    """

    name: str
    spec: AdapterSpec
    patcher: comfy.model_patcher.ModelPatcher


def load_adapter(path: Path, name: str) -> LoadedAdapter:
    """Read an adapter file, `.safetensors` or `.bin`. Code in a pickle is refused, never run.

    Raises ValueError that names the file, says what was found and what to do.
    """
    state = _read(path, name)
    try:
        weights = read_adapter(state)
    except AdapterFormatError as error:
        raise ValueError(f"Troupe: the adapter file '{name}' cannot be used: {error}") from error
    if weights.spec.lora:
        logging.getLogger(__name__).info(
            "Troupe: '%s' also carries a LoRA for the model. Troupe uses the adapter only; "
            "for more likeness load the LoRA that was published beside it with Load LoRA.",
            name,
        )
    module = IdentityAdapter(weights.spec, comfy.ops.manual_cast, weights.keys[0].dtype).eval().requires_grad_(False)
    patcher = comfy.model_patcher.CoreModelPatcher(
        module,
        load_device=comfy.model_management.get_torch_device(),
        offload_device=comfy.model_management.unet_offload_device(),
    )
    module.load(weights, assign=patcher.is_dynamic())
    return LoadedAdapter(name, weights.spec, patcher)


def _read(path: Path, name: str) -> Mapping:
    try:
        state = comfy.utils.load_torch_file(str(path), safe_load=True)
    except pickle.UnpicklingError as error:
        raise ValueError(
            f"Troupe: the adapter file '{name}' was not loaded, because it is not a plain file of weights: it is "
            "damaged, or it holds code that would run on loading. Download it again from its publisher, as "
            f".safetensors if there is one. ({_first_line(error)})"
        ) from error
    except UNREADABLE as error:
        raise ValueError(
            f"Troupe: the adapter file '{name}' cannot be read; it is cut off or not a file of weights. "
            f"Check its size and download it again. ({_first_line(error)})"
        ) from error
    if not isinstance(state, Mapping):
        raise ValueError(
            f"Troupe: the adapter file '{name}' holds a {type(state).__name__} instead of named weights. "
            "Choose an IP-Adapter FaceID file."
        )
    return state


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
