"""Files that lie in users' adapter folders and are no adapters, for the server to be asked for."""

import pickle
from pathlib import Path

import torch
from safetensors.torch import save_file


class Touch:
    """Unpickling this would make a file."""

    def __init__(self, path: Path):
        self.path = str(path)

    def __reduce__(self):
        return open, (self.path, "w")


def write_bad_adapters(folder: Path) -> None:
    """Write other.safetensors, cut.safetensors and code.bin, whose code would make the file the-code-ran."""
    folder.mkdir(parents=True)
    save_file({"model.layers.0.weight": torch.zeros(4, 4)}, folder / "other.safetensors")
    whole = (folder / "other.safetensors").read_bytes()
    (folder / "cut.safetensors").write_bytes(whole[: len(whole) // 2])
    (folder / "code.bin").write_bytes(pickle.dumps({"image_proj": Touch(folder / "the-code-ran")}))
