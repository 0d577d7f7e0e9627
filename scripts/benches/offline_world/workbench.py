"""What the rows of the bench `world` share, each part made when it is first asked for."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ....face.onnx_engine import OnnxEngine, load_engine
from ....face.pack import read_pack
from ...bootstrap.installation import Installation
from ...figures.samples import Samples
from ...hosting.accelerator import has_accelerator
from ...hosting.in_process import import_host
from .bounds import Bounds, bounds_of, form_in
from .drawing import Host
from .reading import Reader


@dataclass(frozen=True)
class Amounts:
    """How many samples a run takes.

    people    : whose photos the scoring recogniser is asked to tell apart
    scenes    : rendered for the detector and the reader, figures taking turns from one to six
    pictures  : drawn by the unpatched model of one, two and four people each
    casts     : pictures with a cast of one and of two, of each mode
    crowds    : of three and more
    tuning    : pictures, of other seeds, at every strength that a mode may be at its best with
    """

    people: int
    scenes: int
    pictures: int
    casts: int
    crowds: int
    tuning: int


FULL = Amounts(people=1000, scenes=180, pictures=64, casts=80, crowds=16, tuning=12)
QUICK = Amounts(people=120, scenes=24, pictures=8, casts=8, crowds=2, tuning=2)
RANKED = 1000  # people in the row's definition: fewer are told apart more easily, so they decide nothing


@dataclass
class Workbench:
    """Weights, host, engines and what was drawn so far."""

    weights: Path
    installation: Installation
    amounts: Amounts
    samples: Samples
    status: Callable[[str], None]

    @cached_property
    def bounds(self) -> Bounds:
        return bounds_of(form_in(self.weights))

    @cached_property
    def size(self) -> int:
        """Pixels along a side of a picture."""
        return json.loads((self.weights / "world.json").read_text(encoding="utf-8"))["size"]

    @cached_property
    def engine(self) -> OnnxEngine:
        """The face pack whose recogniser the adapter reads."""
        return self._pack("troupe-demo")

    @cached_property
    def scorer(self) -> OnnxEngine:
        """The face pack that only scores."""
        return self._pack("troupe-demo-scorer")

    @cached_property
    def reader(self) -> Reader:
        return Reader(self.weights / "reader.onnx")

    @cached_property
    def host(self) -> Host:
        if "comfy.cli_args" not in sys.modules:
            if not self.installation.private:
                sys.dont_write_bytecode = True  # nothing is written into somebody's installation
            import_host(self.installation.comfyui, cpu=not has_accelerator(self.installation.python))
        return Host(self.weights)

    def _pack(self, name: str) -> OnnxEngine:
        return load_engine(read_pack(name, self.weights / "insightface" / "models" / name), "CPU")
