"""Damage to a photo's file that shows in its pixels: image readers hand out what they could read, without a word.

Three signs. What is missing from a file is filled up with one colour. After flipped bits a JPEG goes on with its
brightness shifted, from one block to the end of the picture. And a garbled JPEG or WebP breaks into its blocks of 8
pixels, with edges between smooth sides that lie on the blocks' borders and nowhere else. Each sign is held to what
collages, letterboxes, screenshots and strong compression look like (figures in docs/decisions.md).
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

BLOCK, LARGEST_BLOCK = 8, 16  # pixels that JPEG and WebP code at once
DECODERS_OWN = (0, 135, 0)  # what ffmpeg, which ComfyUI reads files with, puts for missing JPEG and WebP data: YUV of 0
FILLS = (DECODERS_OWN, (0, 0, 0), (128, 128, 128))  # the others: of missing PNG rows, and Pillow's for JPEG
NEAR, ACROSS = 0.5, 0.1  # of a face's height: below its box, which may end early on what is left of it, and within it
JUMP = 20  # levels by which a shift begins
MOST_OF, FEW_OF = 0.8, 0.1  # of the blocks along a part of a line
LEAST_BLOCKS = 2  # of a part
EDGE, SMOOTH = 10, 4  # levels of an edge between blocks; how many times the steps on both sides it is
EDGES, EDGES_AROUND = 2, 5  # lines of each kind of borders with such an edge
LONG = 4  # blocks
AROUND = 2048  # pixels


class DamagedPhoto(ValueError):
    """A photo whose file is damaged; the message names the photo, what was seen and where, and what to do."""


def damage_at(photo: np.ndarray, box: np.ndarray, sure: bool, flaw: str = "") -> str:
    """What speaks for damage at a face, in words that follow "the photo": empty where nothing does.

    photo : uint8 [H, W, 3]
    box   : x0, y0, x1, y1 in pixels. A detector puts it around what is left of a face
    sure  : whether the detector was; if not, damage elsewhere counts as well
    flaw  : what a strict reader says of the photo's file, or empty
    """
    filled = filled_from(photo)
    if filled is not None:
        row, certain = filled[0], filled[1] or bool(flaw)
        height = box[3] - box[1]
        if row < (box[3] + NEAR * height if certain else box[3] - ACROSS * height):
            return f"is one colour from row {row} down to its end, which is where the face is"
        if certain and not sure:
            return f"is one colour from row {row} down to its end, and no look was sure of a face above"
    elif flaw:
        return f"comes from a damaged file ({flaw})"
    shifted = shifted_from(photo[: max(0, int(box[3]))])
    if shifted is not None:
        return f"has other colours from row {shifted} on, along the blocks of an image file"
    if broken_blocks(photo, box):
        return "breaks into blocks of 4 and 8 pixels at the face"
    if not sure and broken_blocks(photo, around(box), EDGES_AROUND, 3):
        return "breaks into blocks of 4 and 8 pixels, and no look was sure of a face"
    return ""


def filled_from(photo: np.ndarray) -> tuple[int, bool] | None:
    """The row from which a picture is one of FILLS down to its end, and whether nothing but a decoder does that.

    A picture that begins with a row of the same black or grey has a frame, or bars above and below.
    """
    fill = next((colour for colour in FILLS if _is(photo[-1, -1], colour)), None)
    if fill is None or (fill != DECODERS_OWN and _is(photo[0], fill).all()):
        return None
    row = len(photo)
    while row > 0 and _is(photo[row - 1], fill).all():
        row -= 1
    if row > len(photo) - 2:
        return None
    # The last row of blocks that was read may end within the picture.
    begun = _is(photo[max(0, row - LARGEST_BLOCK) : row, -BLOCK:], fill).all(1)[::-1]
    steps = _run(begun)
    return row - steps, fill == DECODERS_OWN


def shifted_from(photo: np.ndarray) -> int | None:
    """The row from which a picture's colours are shifted as after flipped bits in a JPEG, or None.

    Blocks are coded one after the other, so the shift begins at some block: to the right of it at the block's upper
    end, to the left of it one row of blocks below. Straight edges across the picture, as in collages, do not count.
    """
    count = photo.shape[1] // BLOCK
    lines = np.arange(BLOCK, len(photo) - 1, BLOCK)
    if count < 2 * LEAST_BLOCKS or not len(lines):
        return None
    # Reduced colour is smoothed over the border by most decoders, so steps are taken two rows beyond it.
    step = photo[lines + 1].astype(np.int16) - photo[lines - 2]
    step = step[:, : count * BLOCK].reshape(len(lines), count, BLOCK, 3)
    low, high = step.min(2), step.max(2)
    for sign in ((low >= JUMP), (high <= -JUMP)):
        for channel in range(3):
            found = _stairs(sign[..., channel])
            if found is not None:
                return int(lines[found])
    return None


def around(box: np.ndarray) -> np.ndarray:
    """The square of AROUND pixels about a box's middle, as a box."""
    middle = (box[:2] + box[2:]) / 2
    return np.concatenate([middle - AROUND / 2, middle + AROUND / 2])


def broken_blocks(photo: np.ndarray, box: np.ndarray, least: int = EDGES, times: int = 2) -> bool:
    """Whether there are short edges in a box that lie on the borders of a WebP's blocks of 4 and 8, and nowhere else.

    least : lines of each kind of borders with such an edge
    times : as many as at any other place within blocks
    A strongly compressed JPEG has edges on the borders of blocks of 8, and none between them. Frames, and pictures in a
    picture, have long ones.
    """
    x0, y0 = (max(0, int(value)) // BLOCK * BLOCK for value in box[:2])
    part = photo[y0 : max(0, int(box[3])), x0 : max(0, int(box[2]))]
    if min(part.shape[:2]) < 2 * BLOCK:
        return False
    grey = ((part.astype(np.int32) @ np.array([77, 150, 29])) >> 8).astype(np.int16)
    lines = _edges(grey) + _edges(np.ascontiguousarray(grey.T))
    borders, between = lines[[0, BLOCK // 2]], np.delete(lines, [0, BLOCK // 2])
    return bool(borders.min() >= max(least, times * between.max()))


def _is(pixels: np.ndarray, colour: tuple[int, ...]) -> np.ndarray:
    return (np.abs(pixels.astype(np.int16) - np.array(colour, np.int16)) <= 1).all(-1)


def _run(flags: np.ndarray) -> int:
    """How many are true before the first that is not."""
    return len(flags) if flags.all() else int(flags.argmin())


def _stairs(steps: np.ndarray) -> int | None:
    """The number of the first line that steps from some block on to the right while a line below does to its left.

    steps : bool [L, N], lines at block borders, downwards, and blocks from the left
    """
    before = np.pad(np.cumsum(steps, 1), ((0, 0), (1, 0)))  # steps in the first k blocks, for k from 0 to N
    after = before[:, -1:] - before
    left = np.arange(before.shape[1])
    right = left[-1] - left
    for below in (1, LARGEST_BLOCK // BLOCK):
        upper, lower = slice(None, len(steps) - below), slice(below, None)
        stairs = (after[upper] >= MOST_OF * right) & (before[lower] >= MOST_OF * left)
        stairs &= (before[upper] <= FEW_OF * left) & (after[lower] <= FEW_OF * right)
        stairs[:, (left < LEAST_BLOCKS) | (right < LEAST_BLOCKS)] = False
        if stairs.any():
            return int(stairs.any(1).argmax())
    return None


def _edges(grey: np.ndarray) -> np.ndarray:
    """How many horizontal lines have an edge of one to three blocks between smooth sides, by place in a block: [8]."""
    step = np.diff(grey, axis=0)
    outer, inner = step[1:-1], np.maximum(np.abs(step[:-2]), np.abs(step[2:]))
    sign = np.sign(outer) * ((np.abs(outer) >= EDGE) & (np.abs(outer) >= SMOOTH * inner))
    blocks = sign[:, : sign.shape[1] // BLOCK * BLOCK].reshape(len(sign), -1, BLOCK)
    found = np.abs(blocks.sum(2)) == BLOCK
    runs = sliding_window_view(np.pad(found, ((0, 0), (LONG - 1, LONG - 1))), LONG, 1).all(2)
    found = (found & ~sliding_window_view(runs, LONG, 1).any(2)).any(1)
    return np.bincount((np.arange(len(found)) + 2) % BLOCK, found, BLOCK).astype(int)
