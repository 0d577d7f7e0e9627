"""Train the offline world, stage by stage: `python -m demo.train FORM`. Interrupted, it goes on where it stopped.

A stage without a checkpoint starts from the weights that the pack ships, where these are of the same form.
scripts/train_world.py sets up what this needs and calls it.
"""

import argparse
import logging
import os
from dataclasses import replace
from pathlib import Path

import torch

from ..form import FORMS, Form
from .export import write_world
from .host_models import import_host
from .publish import Unpublishable, publish, table
from .shipped import Shipped
from .stages import STAGES
from .training import Training

ROOT = Path(__file__).parents[2]


def command_line() -> argparse.ArgumentParser:
    """The options."""
    parser = argparse.ArgumentParser(
        prog="demo.train", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("form", choices=FORMS, help="the size of the world")
    parser.add_argument(
        "--stages",
        help=f"comma-separated, of {', '.join(STAGES)}, or all; default: all, or none with --publish",
    )
    parser.add_argument(
        "--publish", action="store_true", help="afterwards, copy what is finished to the shipped weights"
    )
    parser.add_argument("--steps", type=int, help="train each named stage for this many steps instead of the form's")
    parser.add_argument(
        "--from-scratch", action="store_true", help="start from fresh weights, not from those that ship"
    )
    parser.add_argument("--compile", action="store_true", help="compile the model's step; pays in long stages")
    parser.add_argument("--work", type=Path, help="checkpoints and rendered scenes (default: .troupe/train/FORM)")
    parser.add_argument("--out", type=Path, help="where trained weights are written (default: WORK/weights)")
    parser.add_argument(
        "--shipped", type=Path, default=ROOT / "demo" / "weights", help="the weights that ship (default: demo/weights)"
    )
    parser.add_argument("--comfyui", default=os.environ.get("TROUPE_COMFYUI", str(ROOT / ".troupe" / "ComfyUI")))
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    return parser


def chosen_stages(arguments: argparse.Namespace) -> list[str]:
    """The named stages in their own order. Raises ValueError for a name that there is not."""
    if arguments.stages is None and arguments.publish:
        return []
    if arguments.stages in (None, "all"):
        return list(STAGES)
    names = arguments.stages.split(",")
    unknown = sorted(set(names) - set(STAGES))
    if unknown:
        raise ValueError(f"No stage called {', '.join(unknown)}; there are {', '.join(STAGES)}.")
    return [name for name in STAGES if name in names]


def form_of(arguments: argparse.Namespace, chosen: list[str]) -> Form:
    """The named form, with the steps of this run."""
    form = FORMS[arguments.form]
    steps = dict.fromkeys(set(chosen) & set(form.steps), arguments.steps) if arguments.steps else {}
    return replace(form, steps={**form.steps, **steps})


def main() -> None:
    """Read the command line, run the chosen stages, publish if asked to."""
    parser = command_line()
    arguments = parser.parse_args()
    try:
        chosen = chosen_stages(arguments)
    except ValueError as error:
        parser.error(str(error))
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    form = form_of(arguments, chosen)
    work = arguments.work or ROOT / ".troupe" / "train" / arguments.form
    out = arguments.out or work / "weights"
    if chosen:
        torch.set_num_threads(arguments.threads)
        import_host(arguments.comfyui)
        start = Shipped(work / "nothing" if arguments.from_scratch else arguments.shipped, arguments.form, form)
        training = Training(arguments.form, form, work, out, frozenset(chosen), start, arguments.compile)
        for name in chosen:
            STAGES[name](training)
            write_world(out, arguments.form, form, training.steps_done())
    if arguments.publish:
        try:
            print(table(publish(out, arguments.shipped, arguments.form, form)))
        except Unpublishable as refusal:
            parser.exit(1, f"{refusal}\n")


if __name__ == "__main__":
    main()
