"""EVA02-CLIP, through which PuLID sees a face: loaded once, and kept as long as an adapter uses it.

As an adapter's, its weights stay on the CPU, and ComfyUI's operations bring one layer's weights at a time to the
device: each is needed once for a photo.
"""

from __future__ import annotations

import logging
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import comfy.ops
import comfy.utils
import torch

from ....attention.adapters.eva_vision import EvaShape, EvaVision
from ....attention.adapters.eva_weights import EvaFormatError, check_eva_numbers, read_eva
from ..model_files import where_to_get
from .adapter_file import UNREADABLE
from .bounded_cache import BoundedCache
from .eva_files import NAME, WHERE, eva_files
from .file_faults import swelling_of
from .loaded_adapter import LoadedAdapter

log = logging.getLogger(__name__)
KEPT_BYTES = 256 << 20  # of features: about twenty photos; in memory alone, gone with the encoder


@dataclass(frozen=True, eq=False)
class EvaEncoder:
    """An encoder in memory.

    name  : its file, for messages
    model : its weights, on the CPU
    kept  : what it saw, by the content of the picture
    """

    name: str
    model: EvaVision
    kept: BoundedCache = field(default_factory=lambda: BoundedCache(KEPT_BYTES), repr=False)

    @property
    def shape(self) -> EvaShape:
        """Its sizes."""
        return self.model.shape


# By path, time and size of the file, so that adapters with different settings share one.
_loaded: weakref.WeakValueDictionary[tuple, EvaEncoder] = weakref.WeakValueDictionary()


def eva_encoder_for(adapter: LoadedAdapter, given: Any = None) -> EvaEncoder:
    """The first file of EVA02-CLIP in ComfyUI's folders whose sizes an adapter reads.

    given : what is connected as CLIP vision, which can be none of these
    Raises ValueError that says what was needed, what there is and what to do.
    """
    if given is not None:
        raise ValueError(
            f"Troupe, Load Identity Adapter: '{adapter.name}' is a PuLID file, which sees faces through EVA02-CLIP, "
            f"and Load CLIP Vision loads other encoders. Leave 'clip_vision' empty: {NAME} is found in {WHERE}."
        )
    need = adapter.spec.vision_width, adapter.spec.vector_width
    found, faults = [], []
    for name, path in eva_files().items():
        try:
            encoder = load_eva(path, name)
        except ValueError as error:
            log.warning("%s It is passed over.", error)
            faults.append(error)
            continue
        sizes = encoder.shape.width, encoder.shape.outputs
        if sizes == need:
            log.info("Troupe: '%s' sees faces through %s.", adapter.name, name)
            return encoder
        found.append(f"{name} with {sizes[0]} and {sizes[1]}")
    if faults and not found:
        raise faults[0]
    raise ValueError(
        f"Troupe, Load Identity Adapter: the PuLID file '{adapter.name}' sees faces through EVA02-CLIP with {need[0]} "
        f"numbers per feature and {need[1]} in its vector, and there is none in {WHERE} (found: "
        f"{', '.join(found) or 'none'}). Put {NAME} (or a .safetensors of it) into one of these folders and run again. "
        f"{where_to_get(NAME)}"
    )


def load_eva(path: Path, name: str) -> EvaEncoder:
    """Read an encoder, or take the one that was read from the same file. Raises ValueError that names the file."""
    facts = path.stat()
    key = str(path), facts.st_mtime_ns, facts.st_size
    encoder = _loaded.get(key)
    if encoder is None:
        shape, weights = _read(path, name)
        with torch.device("meta"):
            model = EvaVision(shape, comfy.ops.manual_cast, weights["head.weight"].dtype)
        model.load_state_dict(weights, assign=True)
        encoder = EvaEncoder(name, model.eval().requires_grad_(False))
        _loaded[key] = encoder
    return encoder


def _read(path: Path, name: str) -> tuple[EvaShape, Mapping[str, torch.Tensor]]:
    swelling = swelling_of(path)
    if swelling:
        raise ValueError(f"Troupe: the file '{name}' was not loaded: it {swelling}. Delete it.")
    try:
        shape, weights = read_eva(comfy.utils.load_torch_file(str(path), safe_load=True))
        check_eva_numbers(weights)
    except EvaFormatError as error:
        raise ValueError(f"Troupe: the file '{name}' cannot be used as PuLID's encoder: {error}") from error
    except UNREADABLE as error:
        said = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
        raise ValueError(
            f"Troupe: the file '{name}' cannot be read; it is cut off, holds code, or is not a file of weights. "
            f"Download {NAME} again. ({said})"
        ) from error
    return shape, weights
