"""The training set: scenes rendered once, kept on disk in chunks, read back without copying."""

import logging
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ..people import new_identities
from ..renderer import render
from ..scenes import MOST, Scene, distant_scenes, random_scenes

log = logging.getLogger(__name__)
PEOPLE = 10_000  # identities of the training set; figures are drawn from them again and again
CHUNK = 500
NEAR_TO_DISTANT = 6  # scenes for each one of somebody alone and far away
NEAR_TO_WIDE = 5  # scenes for each one that is twice as wide as high
_KEPT = ("picture", "depth", "face_box", "key_points", "visible")  # of Rendered; masks would be most of the disk
COUNTS = (1, 2, 1, 3, 2, 1, 4, 2, 1, 5, 3, 1, 2, 6, 1, 4)  # figures per chunk: two in five show one person


def training_identities() -> Tensor:
    """The identities every stage may see: [PEOPLE, 24]. Tests and benchmarks use other seeds."""
    return new_identities(PEOPLE, torch.Generator().manual_seed(20_000))


def render_corpus(folder: Path, size: int | tuple[int, int], scenes: int, distant: bool = False) -> None:
    """Render what is not there yet: chunk-NNNN.pt files with pictures and depth in uint8, and the facts about them.

    size    : pixels of a square, or height and width
    distant : everybody is alone and far away
    """
    size = size if isinstance(size, tuple) else (size, size)
    folder.mkdir(parents=True, exist_ok=True)
    people = training_identities()
    per_chunk = min(CHUNK, -(-scenes // 2))  # at least two chunks, so that there are people alone and in company
    for chunk in range(-(-scenes // per_chunk)):
        path = folder / f"chunk-{chunk:04d}.pt"
        if path.exists():
            continue
        torch.save(_chunk(chunk, per_chunk, size, people, distant), path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)
        if chunk % 10 == 0:
            log.info("rendered %d of %d scenes", min((chunk + 1) * per_chunk, scenes), scenes)


def _chunk(number: int, count: int, size: tuple[int, int], people: Tensor, distant: bool) -> dict:
    """`count` scenes with the same number of figures, people drawn from `people` [PEOPLE, 24], as they are kept."""
    aspect = size[1] / size[0]
    seed = 80_000 if distant else 40_000 if aspect == 1 else 100_000
    generator = torch.Generator().manual_seed(seed + number)
    figures = 1 if distant else COUNTS[number % len(COUNTS)]
    who = torch.randint(0, len(people), (count, figures), generator=generator)
    chosen = people[who]
    if distant:
        scene = distant_scenes(count, generator, chosen[:, 0])
    else:
        scene = random_scenes(count, figures, generator, chosen, aspect=aspect)
    parts = [render(scene[rows], size) for rows in torch.arange(count).split(16)]
    drawn = {key: torch.cat([getattr(part, key) for part in parts]) for key in _KEPT}
    return {
        "picture": _bytes(drawn.pop("picture")),
        "depth": _bytes(drawn.pop("depth")),
        "who": who,
        "scene": vars(scene),
        **drawn,
    }


def _bytes(picture: Tensor) -> Tensor:
    return (picture * 255).round().to(torch.uint8)


class Corpus:
    """All chunks of a folder as one table: pictures and facts by scene, and a list of all faces.

    face_scene, face_figure [F]  which scene and which figure of it each clearly visible face belongs to
    face_who [F]                 which training identity it shows
    single [N]                   which scenes have one figure

    Raises RuntimeError where nothing has been rendered.
    """

    def __init__(self, folder: Path):
        paths = sorted(folder.glob("chunk-*.pt"))
        if not paths:
            raise RuntimeError(f"No rendered scenes in {folder}; run the stage 'corpus' first.")
        self.chunks = [torch.load(path, weights_only=True, mmap=True) for path in paths]
        self.ends = np.cumsum([len(chunk["who"]) for chunk in self.chunks])
        faces = []
        for end, chunk in zip(self.ends, self.chunks, strict=True):
            row, figure = (chunk["visible"] > 0.6).nonzero().unbind(1)
            faces.append(torch.stack([row + int(end) - len(chunk["who"]), figure, chunk["who"][row, figure]], 1))
        self.face_scene, self.face_figure, self.face_who = torch.cat(faces).unbind(1)
        self.single = torch.cat([torch.full((len(c["who"]),), c["who"].shape[1] == 1) for c in self.chunks])

    def __len__(self) -> int:
        return int(self.ends[-1])

    def locate(self, scene: int) -> tuple[dict, int]:
        """The chunk of a scene and its row in there."""
        number = int(np.searchsorted(self.ends, scene, side="right"))
        return self.chunks[number], scene - int(self.ends[number]) + len(self.chunks[number]["who"])

    def pictures(self, scenes: Tensor, key: str = "picture") -> Tensor:
        """Pictures of scenes [N], or another `key` kept like them ("depth"): [N, C, S, S] float in 0..1."""
        found = [self.locate(int(s)) for s in scenes]
        return torch.stack([chunk[key][row] for chunk, row in found]).float() / 255

    def facts(self, scenes: Tensor, key: str) -> Tensor:
        """A fact of each figure, padded to six figures with zeros: [N] -> [N, 6, ...]"""
        found = [self.locate(int(s)) for s in scenes]
        values = [(chunk["scene"][key] if key in chunk["scene"] else chunk[key])[row] for chunk, row in found]
        out = torch.zeros(len(values), MOST, *values[0].shape[1:], dtype=values[0].dtype)
        for row, value in enumerate(values):
            out[row, : len(value)] = value
        return out

    def scene(self, number: int) -> Scene:
        """One scene, as a batch of one."""
        chunk, row = self.locate(number)
        return Scene(**{key: value[row : row + 1] for key, value in chunk["scene"].items()})
