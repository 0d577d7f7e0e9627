"""Similarities of found faces to every reference as a heat map, drawn with matplotlib."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np

from .lettering import families_for

DOTS = 100  # per inch
CELL, LABELS, EDGE = (0.92, 0.62), 1.9, 0.35  # inches: a cell, names on the left, the rest
UPRIGHT, SLANTED = (1.1, 0.0), (1.6, 0.8)  # inches for title and names above cells, and beside the last of them
FEW = 3  # columns whose names are written upright
LETTERS = 14  # of a name
MAP = "viridis"  # even in lightness, and told apart with any colour vision


def heat_map(
    similarity: np.ndarray, matched: np.ndarray, names: Sequence[str], title: str = "", rows: int = 0
) -> np.ndarray:
    """One picture's similarities, faces down and members across; the face of each member is framed.

    similarity : [F, R] cosines; colours reach from 0 or less to 1
    matched    : int [R], the face of each member, or -1
    names      : R of them, in any script
    rows       : room for so many faces, so that the maps of a batch are of one size
    returns uint8 [H, W, 3]; its size depends on R and the rows alone
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    faces, members = similarity.shape
    rows = max(rows, faces, 1)
    top, beside = UPRIGHT if members <= FEW else SLANTED
    width, height = LABELS + max(members * CELL[0] + beside, 3.2) + EDGE, top + rows * CELL[1] + EDGE
    figure = Figure(figsize=(width, height), dpi=DOTS, facecolor="white")
    canvas = FigureCanvasAgg(figure)
    family = families_for("".join([*names, title]))
    across, down = members * CELL[0], max(faces, 1) * CELL[1]
    axes = figure.add_axes([LABELS / width, 1 - (top + down) / height, across / width, down / height])
    figure.text(0.12 / width, 1 - 0.3 / height, title, fontsize=11, family=family, va="center")
    if faces:
        _cells(axes, similarity, matched)
    else:
        axes.set_facecolor("#eeeeee")
        axes.text(0.5, 0.5, "no face found", ha="center", va="center", transform=axes.transAxes, fontsize=11)
    _labels(axes, matched, names, faces, family)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing")  # drawn as a box
        canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _cells(axes, similarity: np.ndarray, matched: np.ndarray) -> None:
    from matplotlib.patches import Rectangle

    image = axes.imshow(similarity, cmap=MAP, vmin=0, vmax=1, aspect="auto")
    for (face, member), value in np.ndenumerate(similarity):
        red, green, blue, _ = image.cmap(image.norm(value))
        ink = "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "white"
        axes.text(
            member, face, f"{value:.2f}".replace("-0.00", "0.00"), ha="center", va="center", color=ink, fontsize=11
        )
    for member, face in enumerate(matched):
        if face >= 0:
            axes.add_patch(Rectangle((member - 0.47, face - 0.44), 0.94, 0.88, fill=False, lw=3, edgecolor="#d55e00"))


def _labels(axes, matched: np.ndarray, names: Sequence[str], faces: int, family: list[str]) -> None:
    short = [_cut(name) for name in names]
    columns = [f"{name}\n(no face)" if face < 0 else name for name, face in zip(short, matched, strict=True)]
    axes.set_xticks(
        range(len(names)) if faces else (np.arange(len(names)) + 0.5) / len(names),
        columns,
        rotation=0 if len(names) <= FEW else 30,
        ha="center" if len(names) <= FEW else "left",
        family=family,
        fontsize=10,
    )
    member_of = {int(face): short[member] for member, face in enumerate(matched) if face >= 0}
    axes.set_yticks(
        range(faces),
        [f"face {face + 1}: {member_of.get(face, 'nobody')}" for face in range(faces)],
        family=family,
        fontsize=10,
    )
    axes.tick_params(top=True, labeltop=True, bottom=False, labelbottom=False, length=0)
    for side in axes.spines.values():
        side.set_visible(False)


def _cut(name: str) -> str:
    name = " ".join(name.split()).replace("$", r"\$")  # a pair of them would be read as mathematics
    return name if len(name) <= LETTERS else name[: LETTERS - 1] + "…"
