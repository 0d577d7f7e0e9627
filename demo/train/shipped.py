"""What the pack ships already, as a place for training to start from: weights of the same form, in fp16."""

import json
from pathlib import Path

from safetensors.torch import load_file
from torch import Tensor, nn

from ..form import Form, world_facts
from .as_published import factor_of, times

RECOGNISER = "insightface/models/troupe-demo/recogniser.onnx"
IMAGE_ENCODER = "clip_vision/troupe-demo-subject.safetensors"
_DRAWING = {"unet.": "unet.safetensors", "text.": "text_encoder.safetensors"}
# By stage: where in its module each shipped file belongs. The recognisers ship as ONNX only and start anew.
PARTS = {
    "autoencoder": {"": "vae.safetensors"},
    "text_to_image": _DRAWING,
    "identity": {
        **{f"world.{prefix}": file for prefix, file in _DRAWING.items()},
        "adapter.": "ipadapter/troupe-demo-faceid.safetensors",
    },
    "control": {"": "depth_control.safetensors"},
    "subject_encoder": {"": IMAGE_ENCODER},
    "subject": {"": "ipadapter/troupe-demo-subject.safetensors"},
    "transformer": {"": "transformer.safetensors"},
}


class Shipped:
    """The weights in a folder, as far as they are of this form; of another form they are as good as not there."""

    def __init__(self, folder: Path, name: str, form: Form):
        self.folder = folder
        self.fits = facts_in(folder) == world_facts(name, form)

    def state(self, stage: str) -> dict[str, Tensor] | None:
        """What the module of a stage starts from, or None: tensors by their names in that module."""
        files = {prefix: self.folder / name for prefix, name in PARTS.get(stage, {}).items()}
        if not self.fits or not files or not all(path.is_file() for path in files.values()):
            return None
        return {prefix + key: value for prefix, path in files.items() for key, value in _as_trained(path).items()}

    def steps(self) -> dict[str, int]:
        """The steps that these weights were trained for, by stage."""
        return json.loads((self.folder / "world.json").read_text(encoding="utf-8"))["steps"] if self.fits else {}

    def recogniser(self) -> Path | None:
        """The ONNX file of the recogniser that feeds the adapter, or None."""
        path = self.folder / RECOGNISER
        return path if self.fits and path.is_file() else None


def _as_trained(path: Path) -> dict[str, Tensor]:
    state, factor = load_file(path), factor_of(path)
    return state if factor == 1 else times(state, 1 / factor)


def facts_in(folder: Path) -> dict | None:
    """How the weights in a folder are built (see `world_facts`); None where no world.json says so."""
    path = folder / "world.json"
    if not path.is_file():
        return None
    facts = json.loads(path.read_text(encoding="utf-8"))
    facts.pop("steps", None)
    return facts


def start_from(module: nn.Module, state: dict[str, Tensor]) -> None:
    """Load shipped tensors into a module, in the precision it has."""
    module.load_state_dict({key: state[key].to(own.dtype) for key, own in module.state_dict().items()})
