"""A model, an adapter and the patches of them that a row asks for; made when first needed, one model at a time."""

from __future__ import annotations

import gc
import sys
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch

from ....attention.recipes.recipe import Recipe
from ...bootstrap.installation import Installation
from ...hosting.in_process import import_host
from .structures import Structure, random_adapter, random_model, side_by_side


@dataclass(frozen=True)
class Shape:
    """What is called: a structure in a precision at a picture size (pixels along a side)."""

    structure: Structure
    dtype: torch.dtype
    size: int


class Rig:
    """A random model of a shape and an adapter for it."""

    def __init__(self, shape: Shape) -> None:
        self.shape = shape

    @cached_property
    def model(self) -> Any:
        return random_model(self.shape.structure, self.shape.dtype)

    @cached_property
    def adapter(self) -> Any:
        return random_adapter(self.shape.structure, self.model)

    def patched(self, recipe: Recipe, people: int) -> Any:
        """The model with people side by side, by the node's own function."""
        return self.with_cast(recipe, side_by_side(people))

    def with_cast(self, recipe: Recipe, cast: tuple, vae: Any = None) -> Any:
        """The model with a cast."""
        from ....nodes.host.cast.model_patch import patch_cast

        return patch_cast(self.model, cast, self.adapter, recipe, 1.0, vae)


class Workshop:
    """Hands out rigs. The real host is imported for the first one, and a rig is dropped when another is asked for."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self._rig: Rig | None = None

    def rig(self, shape: Shape) -> Rig:
        """The rig of a shape."""
        if self._rig is None or self._rig.shape is not shape:
            self.import_host_once()
            self._drop()
            self._rig = Rig(shape)
        return self._rig

    def import_host_once(self) -> None:
        """Make the real host importable in this process."""
        if "comfy.cli_args" not in sys.modules:
            if not self.installation.private:
                sys.dont_write_bytecode = True  # nothing is written into somebody's installation
            import_host(self.installation.comfyui, cpu=not has_device_clock())
        import comfy.utils

        comfy.utils.set_progress_bar_enabled(False)

    def _drop(self) -> None:
        if self._rig is None:
            return
        import comfy.model_management

        self._rig = None
        comfy.model_management.unload_all_models()
        gc.collect()
        comfy.model_management.soft_empty_cache()


def has_device_clock() -> bool:
    """Whether there is an accelerator whose own events and memory can be read: one of NVIDIA's or AMD's."""
    return torch.cuda.is_available()


def device_name() -> str:
    """What calls are timed on."""
    if has_device_clock():
        return torch.cuda.get_device_name()
    threads = torch.get_num_threads()
    return f"CPU, {threads} thread{'s' if threads > 1 else ''}"
