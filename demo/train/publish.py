"""Finished weights into the folder that the pack ships, within the limits of what a repository should carry."""

import shutil
from pathlib import Path

from ..form import Form, world_facts
from .as_published import BEST, rescale
from .shipped import IMAGE_ENCODER, RECOGNISER, facts_in

MEGABYTE = 1_000_000
MOST_IN_ALL, MOST_IN_A_FILE = 48 * MEGABYTE, 15 * MEGABYTE
WHOLE = (
    "world.json",
    "unet.safetensors",
    "transformer.safetensors",
    "text_encoder.safetensors",
    "vae.safetensors",
    "depth_control.safetensors",
    "reader.onnx",
    "ipadapter/troupe-demo-faceid.safetensors",
    "ipadapter/troupe-demo-subject.safetensors",
    IMAGE_ENCODER,
    "clip_vision/troupe-demo-subject.json",
    RECOGNISER,
    "insightface/models/troupe-demo/detector.onnx",
    "insightface/models/troupe-demo-scorer/recogniser.onnx",
    "insightface/models/troupe-demo-scorer/detector.onnx",
)


class Unpublishable(RuntimeError):
    """These weights cannot be shipped; the message says why and what to do."""


def publish(finished: Path, shipped: Path, name: str, form: Form) -> dict[str, int]:
    """Copy the files of a run that are finished over those that ship.

    finished : the run's folder of weights
    shipped  : the folder that they go to; what the run has not made stays as it is
    returns    the size in bytes of every file that ships now

    Adapters are rescaled, so that strength 1 is their best (as_published.py).

    Raises Unpublishable, and copies nothing, when nothing is finished, when the result would hold parts of two forms,
    or when it would be larger than the limits above.
    """
    new = [part for part in WHOLE if (finished / part).is_file()]
    missing = [part for part in WHOLE if part not in new]
    if not new:
        raise Unpublishable(f"There are no finished weights in {finished}. Train some stages first.")
    if missing and facts_in(shipped) != world_facts(name, form):
        raise Unpublishable(
            f"{shipped} does not hold weights of the form {name}, and {finished} still lacks {', '.join(missing)}. "
            "Train these stages too, so that all parts are of one form."
        )
    sizes = {path.relative_to(shipped).as_posix(): path.stat().st_size for path in shipped.rglob("*") if path.is_file()}
    sizes |= {part: (finished / part).stat().st_size for part in new}
    _check(sizes)
    for part in new:
        (shipped / part).parent.mkdir(parents=True, exist_ok=True)
        beside = (shipped / part).with_suffix(".part")
        shutil.copyfile(finished / part, beside)
        if part in BEST:
            rescale(beside, BEST[part])
        beside.replace(shipped / part)
    sizes |= {part: (shipped / part).stat().st_size for part in new}
    return dict(sorted(sizes.items()))


def table(sizes: dict[str, int]) -> str:
    """Sizes in MB, a line each, and their sum."""
    lines = [f"{size / MEGABYTE:8.2f} MB  {part}" for part, size in sizes.items()]
    return "\n".join([*lines, f"{sum(sizes.values()) / MEGABYTE:8.2f} MB  in all"])


def _check(sizes: dict[str, int]) -> None:
    large = [part for part, size in sizes.items() if size > MOST_IN_A_FILE]
    if large or sum(sizes.values()) > MOST_IN_ALL:
        raise Unpublishable(
            f"Too large to ship: at most {MOST_IN_ALL / MEGABYTE:.0f} MB in all and {MOST_IN_A_FILE / MEGABYTE:.0f} MB "
            f"in a file are allowed. Make the form's models smaller. The weights would be:\n{table(sizes)}"
        )
