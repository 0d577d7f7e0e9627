"""Make the page of the offline world: sample pictures into demo/samples, and their part of demo/README.md.

With `--figures FILE`, the JSON of `bench.py world --json FILE`, the table of figures is written as well, and the
samples are drawn at the strengths that were best there. `--only-figures` leaves the pictures as they are.
`--comparison` draws the sheet of recipes in docs, and its workflow's thumbnail, and nothing else; `--second-pass` does
the same with five people before and after Refine Cast.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pack_alias  # noqa: F401
from pack.scripts.bootstrap.arguments import add_host_option, ready_installation
from pack.scripts.bootstrap.command_line import run
from pack.scripts.bootstrap.console import Console
from pack.scripts.bootstrap.errors import Refusal
from pack.scripts.bootstrap.installation import Installation
from pack.scripts.bootstrap.places import ROOT, places
from pack.scripts.figures.page import rewrite
from pack.scripts.figures.samples import Samples
from pack.scripts.showing.world_page import COMMAND, figures_text, read_figures, samples_text, strengths_in

DEMO = ROOT / "demo"
COMPARISON = ROOT / "workflows" / "14 Recipes side by side.json"
SHEET = ROOT / "docs" / "compare-recipes.png"
SECOND_PASS = ROOT / "workflows" / "12 Five people, second pass.json"
SECOND_PASS_SHEET = ROOT / "docs" / "five-people.png"
THUMBNAIL = 384  # pixels wide


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--figures", type=Path, metavar="FILE", help="what bench.py world --json wrote")
    parser.add_argument("--only-figures", action="store_true", help="write the table alone")
    parser.add_argument("--comparison", action="store_true", help="draw docs/compare-recipes.png alone")
    parser.add_argument("--second-pass", action="store_true", help="draw docs/five-people.png alone")
    parser.add_argument("--training", default="", metavar="WORDS", help="how long the weights took, and where")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    add_host_option(parser)
    return parser.parse_args()


def hand_over(installation: Installation) -> int:
    """Run this command again with the Python that has PyTorch."""
    command = [str(installation.python), __file__, *sys.argv[1:], "--inside"]
    return subprocess.run(command, env={**os.environ, "DO_NOT_TRACK": "1", "PYTHONIOENCODING": "utf-8"}).returncode


def make_pictures(installation: Installation, result: dict, console: Console) -> None:
    """Draw every sheet, and write their part of the page."""
    workbench = importlib.import_module("pack.scripts.benches.offline_world.workbench")
    samples = importlib.import_module("pack.scripts.showing.world_samples")
    sample_sheets = importlib.import_module("pack.scripts.showing.sample_sheets")
    unused = Samples(places().home / "bench" / "sheets.jsonl", "")
    bench = workbench.Workbench(DEMO / "weights", installation, workbench.QUICK, unused, console.status)
    shown = []
    for name, shows, columns, cards in samples.sheets(bench, strengths_in(result)):
        console.status(f"drawing {name}")
        sample_sheets.write_sheet(DEMO / "samples" / name, cards(), columns)
        shown.append((name, shows))
    console.clear()
    rewrite(DEMO / "README.md", "samples", samples_text(shown, "samples"), COMMAND)


def run_workflow(workflow: Path, out: str, comfyui: Path | None) -> None:
    """Run a workflow as demo.py does, which writes its pictures and scores to `out`."""
    command = [sys.executable, str(Path(__file__).with_name("demo.py")), "--workflow", str(workflow), "--out", out]
    if subprocess.run([*command, *(["--comfyui", str(comfyui)] if comfyui else [])]).returncode:
        raise Refusal(f"{workflow.name} did not run, so its picture in docs stays as it was.")


def make_comparison(comfyui: Path | None) -> None:
    """Run the workflow that compares recipes; its sheet goes to docs, and reduced beside the workflow."""
    image = importlib.import_module("PIL.Image")
    with tempfile.TemporaryDirectory() as out:
        run_workflow(COMPARISON, out, comfyui)
        with image.open(Path(out) / "picture.png") as drawn:
            sheet = drawn.convert("RGB")
    sheet.save(SHEET, optimize=True)
    sheet.thumbnail((THUMBNAIL, THUMBNAIL * 4), image.Resampling.LANCZOS)
    sheet.save(COMPARISON.with_suffix(".jpg"), quality=88, optimize=True)


def make_second_pass(comfyui: Path | None) -> None:
    """Run the workflow with five people; both of its pictures go to docs, and reduced beside the workflow."""
    sheets = importlib.import_module("pack.scripts.showing.before_and_after")
    with tempfile.TemporaryDirectory() as out:
        run_workflow(SECOND_PASS, out, comfyui)
        sheet = sheets.before_and_after(Path(out))
    sheet.save(SECOND_PASS_SHEET, optimize=True)
    sheet.thumbnail((THUMBNAIL, THUMBNAIL * 4))
    sheet.save(SECOND_PASS.with_suffix(".jpg"), quality=88, optimize=True)


def write_figures(result: dict, training: str) -> None:
    """Write the table's part of the page."""
    corpus = importlib.import_module("pack.demo.train.corpus")
    form = importlib.import_module("pack.demo.form")
    world = json.loads((DEMO / "weights" / "world.json").read_text(encoding="utf-8"))
    data = f"{form.FORMS[world['form']].scenes:,} rendered scenes of {corpus.PEOPLE:,} identities"
    rewrite(DEMO / "README.md", "figures", figures_text(result, world, data, training), COMMAND)


def main() -> int:
    options, console = parse(), Console()
    result = read_figures(options.figures)
    if options.only_figures and options.figures is None:
        raise Refusal("--only-figures needs --figures FILE.")
    installation = ready_installation(options.comfyui, places(), console)
    if not options.inside:
        return hand_over(installation)
    if options.comparison or options.second_pass:
        for wanted, make in ((options.comparison, make_comparison), (options.second_pass, make_second_pass)):
            if wanted:
                make(options.comfyui)
        return 0
    if not options.only_figures:
        make_pictures(installation, result, console)
    if options.figures:
        write_figures(result, options.training)
    return 0


if __name__ == "__main__":
    run(main)
