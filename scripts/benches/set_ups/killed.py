"""A fresh set-up, and one that is killed again and again before it may finish; what is compared of the two."""

from __future__ import annotations

import random
import shutil
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

import numpy as np
from PIL import Image

from ...bootstrap.errors import Refusal
from ...bootstrap.removal import remove
from .leftovers import changed_files, files_of, leftovers, unclear
from .watched_demo import Moment, WatchedDemo, step_seconds, temporary_files, working_folder

Status = Callable[[str], None]


@dataclass
class SetUps:
    """What two set-ups did.

    fresh_seconds : of each step of the one without a kill, by its title
    killed_in     : for each kill the number of the step in which it fell
    survived      : kills after which the next start came to its own kill, or to the end
    healed_seconds: from the last start to the picture
    said          : unclear lines of restarts
    left          : what, beyond what the fresh one left, the healed set-up did not take away
    changed       : files that differ from the fresh set-up's
    difference    : largest of a pixel of the demo's picture, in levels of 255
    """

    fresh_seconds: dict[str, float] = field(default_factory=dict)
    killed_in: list[int] = field(default_factory=list)
    survived: int = 0
    healed_seconds: float = 0.0
    said: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    difference: int = 255


def draw_moments(seconds: Sequence[float], count: int, seed: int) -> list[Moment]:
    """Moments in order, uniform over a whole set-up.

    seconds : how long each of its steps takes
    """
    draw, begins = random.Random(seed), [0.0, *accumulate(seconds)]
    times = sorted(draw.uniform(0, begins[-1]) for _ in range(count))
    steps = [min(bisect_right(begins, at), len(seconds)) for at in times]
    return [Moment(step, at - begins[step - 1]) for step, at in zip(steps, times, strict=True)]


def kill_set_ups(folder: Path, kills: int, status: Status) -> SetUps:
    """Set up in `folder` without a kill, take it away, and set up again with kills.

    Raises Refusal where not even the set-up without a kill came to its picture.
    """
    found = SetUps()
    with _emptied(folder):
        home, out = folder / "home", folder / "out"
        with WatchedDemo(home, out) as demo:
            if demo.wait(lambda line: status(f"without a kill: {line}")):
                raise Refusal("The set-up without a kill failed:\n" + "\n".join(line for _, line in demo.lines[-12:]))
            found.fresh_seconds = step_seconds(demo.lines)
        files, picture = files_of(working_folder(home)), _picture(out)
        usual = leftovers(working_folder(home), temporary_files(home))  # ComfyUI's own run leaves some, kill or no kill
        _take_away(folder)
        for number, moment in enumerate(draw_moments([*found.fresh_seconds.values()], kills, seed=0), 1):
            status(f"kill {number} of {kills}: in step {moment.step} after {moment.after:.0f} s")
            _kill(home, out, moment, found)
        _finish(home, out, status, found)
        found.left = [thing for thing in leftovers(working_folder(home), temporary_files(home)) if thing not in usual]
        found.changed = changed_files(files_of(working_folder(home)), files)
        if (out / "picture.png").exists():
            found.difference = int(np.abs(picture - _picture(out)).max())
    return found


def _kill(home: Path, out: Path, moment: Moment, found: SetUps) -> None:
    """One start that is killed at its moment."""
    with WatchedDemo(home, out) as demo:
        killed = demo.killed_at(moment)
        lines = [line for _, line in demo.lines]
    if found.killed_in:
        found.survived += killed
        found.said += unclear(lines)
    if killed:
        found.killed_in.append(demo.step()[0])
    else:
        found.said += lines[-3:]


def _finish(home: Path, out: Path, status: Status, found: SetUps) -> None:
    """The last start, which nobody kills."""
    with WatchedDemo(home, out) as demo:
        found.survived += not demo.wait(lambda line: status(f"the last start: {line}"))
        found.healed_seconds = demo.seconds()
        found.said += unclear(line for _, line in demo.lines)


def _picture(out: Path) -> np.ndarray:
    """The demo's picture, int [H, W, 3] in 0..255."""
    with Image.open(out / "picture.png") as opened:
        return np.asarray(opened.convert("RGB"), int)


@contextmanager
def _emptied(folder: Path) -> Iterator[None]:
    """Begin and end without the folder, whatever happens between."""
    _take_away(folder)
    try:
        yield
    finally:
        _take_away(folder)


def _take_away(folder: Path) -> None:
    remove(working_folder(folder / "home"))  # links first, so that nothing goes through one to this repository
    shutil.rmtree(folder, ignore_errors=True)
