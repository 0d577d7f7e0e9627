"""Measure: `bench.py NAME` prints a row per figure with its value, 95 % interval, bound and verdict.

Without a name it lists the benches. Exit status 1 when a row falls short. Finished rows are kept until the pack
changes, so an interrupted bench goes on where it stopped; `--fresh` measures again.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pack_alias  # noqa: F401
from pack.scripts.bootstrap.arguments import add_host_option, ready_installation
from pack.scripts.bootstrap.command_line import run
from pack.scripts.bootstrap.console import Console
from pack.scripts.bootstrap.errors import Refusal
from pack.scripts.bootstrap.installation import Installation
from pack.scripts.bootstrap.places import ROOT, places
from pack.scripts.figures.machine import machine
from pack.scripts.figures.page import rewrite
from pack.scripts.figures.store import Store, tree_key
from pack.scripts.figures.table import Result, as_json, as_table
from pack.scripts.figures.verdict import FALLS_SHORT
from pack.scripts.showing.recipe_tables import page_section

BENCHES = Path(__file__).with_name("benches")


def names() -> dict[str, str]:
    """Each bench with the first line of what it says about itself, read without importing it."""
    found = {}
    for path in sorted(BENCHES.glob("[a-z]*.py")):
        found[path.stem] = (ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "").split("\n")[0]
    return found


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", nargs="?", help="which bench; without one they are listed")
    parser.add_argument("--quick", action="store_true", help="fewer samples: within three minutes on two cores")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows to this file as well")
    parser.add_argument("--page", type=Path, metavar="FILE", help="write them as a table into this Markdown page")
    parser.add_argument("--fresh", action="store_true", help="forget the rows that are finished")
    parser.add_argument("--recipes", action="store_true", help="with `world`: compare the recipes on it (`recipes`)")
    parser.add_argument("--photos", type=Path, metavar="DIR", help="with `faces`: upright photos of people, yours")
    parser.add_argument("--pack", type=Path, metavar="DIR", action="append", help="with it: a face pack (repeatable)")
    parser.add_argument("--real", action="store_true", help="with it: fetch a published pack, for research only")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    add_host_option(parser)
    options = parser.parse_args()
    if options.recipes and options.name not in ("world", "recipes"):
        raise Refusal("--recipes goes with the bench `world` alone: bench.py world --recipes")
    if (options.photos or options.pack or options.real) and (options.name != "faces" or not options.photos):
        raise Refusal("--pack and --real go with photos, and those with the bench `faces`: bench.py faces --photos DIR")
    options.name = "recipes" if options.recipes else options.name
    return options


def hand_over(installation: Installation) -> int:
    """Run this command again with the Python that has PyTorch."""
    command = [str(installation.python), __file__, *sys.argv[1:], "--inside"]
    return subprocess.run(command, env={**os.environ, "DO_NOT_TRACK": "1", "PYTHONIOENCODING": "utf-8"}).returncode


def measure(options: argparse.Namespace, installation: Installation, console: Console) -> list[Result]:
    """Every row of a bench, those that are finished taken from the store."""
    bench = importlib.import_module(f"pack.scripts.benches.{options.name}")
    benches = importlib.import_module("pack.scripts.benches")
    key = store_key(options, installation)
    settings = benches.Settings(options.quick, installation, places(), console, key, options.fresh)
    if options.photos:
        settings = replace(settings, photos=options.photos, packs=tuple(options.pack or ()), real=options.real)
    rows = bench.rows(settings)
    store = Store(places().home / "bench" / f"{options.name}.jsonl", key)
    if options.fresh:
        store.clear()
    kept = store.read()
    results = []
    for number, row in enumerate(rows, 1):
        console.status(f"[{number}/{len(rows)}] {row.name}")
        figure = kept.get(row.name)
        if figure is None:
            figure = row.measure()
            store.add(row.name, figure)
        results.append(Result(row, figure))
    console.clear()
    return results


def page_part(options: argparse.Namespace) -> tuple[str, str]:
    """The heading of a bench's part of the page, and the command that makes it."""
    command = f"python scripts/bench.py {options.name}{' --quick' * options.quick}"
    if options.photos:
        return f"{options.name}, photos of one's own", f"{command} --photos DIR --pack DIR"
    return options.name, command


def store_key(options: argparse.Namespace, installation: Installation) -> str:
    """What kept rows have to agree in: the state of the pack, the settings, and whose photos and packs they are of."""
    return tree_key(ROOT, options.quick, str(installation.comfyui), options.photos, options.pack)


def main() -> int:
    options, console = parse(), Console()
    known = names()
    if options.name not in known:
        listing = "\n".join(f"  {name:12} {what}" for name, what in known.items())
        if options.name is not None:
            raise Refusal(f"There is no bench {options.name!r}. There are:\n{listing}")
        console.say(f"Benches:\n{listing}")
        return 0
    installation = ready_installation(options.comfyui, places(), console)
    if not options.inside:
        return hand_over(installation)
    begun = time.monotonic()
    results = measure(options, installation, console)
    run_facts = {"machine": machine(), "seconds": round(time.monotonic() - begun, 1)}
    console.say(as_table(results))
    data = {**as_json(options.name, options.quick, results), **run_facts}
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(data, indent=2, ensure_ascii=False)
        options.json.write_text(text + "\n", encoding="utf-8")
    if options.page:
        part, command = page_part(options)
        rewrite(options.page, part, page_section({**data, "bench": part}, command), "python scripts/bench.py")
    return 1 if any(result.verdict == FALLS_SHORT for result in results) else 0


if __name__ == "__main__":
    run(main)
