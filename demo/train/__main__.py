"""Train the offline world: `python -m demo.train FORM`, every stage resumable.

scripts/train_world.py sets up what this needs and calls it.
"""

import argparse
import logging
import os
from pathlib import Path

import torch

from ..form import FORMS
from . import stages
from .host_models import import_host

ROOT = Path(__file__).parents[2]


def main() -> None:
    """Read the command line and run the chosen stages in their order."""
    parser = argparse.ArgumentParser(prog="python -m demo.train", description=__doc__)
    parser.add_argument("form", choices=FORMS, help="the size of the world")
    parser.add_argument("--stages", default=",".join(stages.STAGES), help="comma-separated; default: all, in order")
    parser.add_argument("--work", type=Path, help="checkpoints and rendered scenes (default: .troupe/train/FORM)")
    parser.add_argument("--out", type=Path, help="where trained weights are written (default: WORK/weights)")
    parser.add_argument("--comfyui", default=os.environ.get("TROUPE_COMFYUI", str(ROOT / ".troupe" / "ComfyUI")))
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--steps", type=int, help="train each named stage for this many steps instead of the form's")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    torch.set_num_threads(arguments.threads)
    import_host(arguments.comfyui)
    work = arguments.work or ROOT / ".troupe" / "train" / arguments.form
    chosen = arguments.stages.split(",")
    unknown = set(chosen) - set(stages.STAGES)
    if unknown:
        parser.error(f"No stage called {', '.join(sorted(unknown))}; there are {', '.join(stages.STAGES)}.")
    form = FORMS[arguments.form]
    if arguments.steps:
        form.steps.update(dict.fromkeys(chosen, arguments.steps))
    training = stages.Training(arguments.form, form, work, arguments.out or work / "weights")
    for name in stages.STAGES:
        if name in chosen:
            stages.STAGES[name](training)


if __name__ == "__main__":
    main()
