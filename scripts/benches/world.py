"""How good the offline world is, on people it was never trained on: its judges, its prompts, its likeness, its mixing.

Everything is drawn in this process by the real host's stock nodes (KSampler, CLIP Text Encode, Apply ControlNet, VAE
Decode) on the shipped weights. Faces are found on the whole picture without knowing the regions; a missing face has
similarity 0 and is in the wrong place. References differ from the prompted scene in pose, expression, shirt, size and
background. Every mode runs at its own best strength, tuned on other seeds. The bench `demo` times the demo itself.
"""

from __future__ import annotations

import math

from ..benches import Settings
from ..bootstrap.places import ROOT
from ..figures.intervals import bootstrap_figure
from ..figures.samples import Samples
from ..figures.verdict import Figure, Row
from .offline_world.bounds import enough_for
from .offline_world.company import best_strength, measured
from .offline_world.drawing import DECOUPLED, EVERYWHERE, Mode
from .offline_world.mode_rows import mode_rows
from .offline_world.prompted import prompted_rows
from .offline_world.ratios import share_figure
from .offline_world.rendered import rendered_rows
from .offline_world.subjects import subject_rows
from .offline_world.workbench import FULL, QUICK, Workbench

LEAST_LIKENESS = 20  # pictures before a mean similarity decides anything


def rows(settings: Settings) -> list[Row]:
    """All rows; what several of them rest on is drawn once and kept."""
    samples = Samples(settings.places.home / "bench" / "world-samples.jsonl", settings.key)
    if settings.fresh:
        samples.clear()
    amounts = QUICK if settings.quick else FULL
    weights = ROOT / "demo" / "weights"
    return rows_on(Workbench(weights, settings.installation, amounts, samples, settings.console.status))


def rows_on(bench: Workbench) -> list[Row]:
    """The rows of a workbench."""
    parts = (rendered_rows, prompted_rows, one_person_rows, subject_rows, two_people_rows, mode_rows)
    return [row for part in parts for row in part(bench)]


def one_person_rows(bench: Workbench) -> list[Row]:
    """A person alone in the picture, drawn from text and identity."""
    return [
        strength_row(bench, "one person", DECOUPLED, 1),
        Row(
            "one person, decoupled: similarity to the reference",
            "",
            lambda: bootstrap_figure(measured(bench, DECOUPLED, 1)["own"]),
            bench.bounds.one_person,
            at_most=False,
            least_samples=LEAST_LIKENESS,
        ),
        mean_row(bench, "one person, unpatched: similarity to the reference", None, "own", 1),
    ]


def two_people_rows(bench: Workbench) -> list[Row]:
    """Two people left and right, where the depth of a rendered scene of two others puts them."""
    place, (low, high) = bench.bounds.right_place, bench.bounds.everywhere
    everywhere = "two people, every identity everywhere"
    return [
        strength_row(bench, "two people in halves, decoupled", DECOUPLED, 2),
        mean_row(bench, "two people in halves, decoupled: right place", DECOUPLED, "right_place", 2, place),
        Row(
            "two people in halves, decoupled: own similarity as a share of one person's",
            "",
            lambda: share_figure(measured(bench, DECOUPLED, 2)["own"], measured(bench, DECOUPLED, 1)["own"]),
            bench.bounds.own_share,
            at_most=False,
            least_samples=LEAST_LIKENESS,
        ),
        *likeness_rows(bench, "two people in halves, decoupled", DECOUPLED),
        strength_row(bench, everywhere, EVERYWHERE, 2),
        mean_row(bench, f"{everywhere}: right place, not below chance", EVERYWHERE, "right_place", 2, low),
        mean_row(bench, f"{everywhere}: right place, not above chance", EVERYWHERE, "right_place", 2, high, True),
        *likeness_rows(bench, everywhere, EVERYWHERE),
        mean_row(bench, "two people, unpatched: right place", None, "right_place", 2),
        *likeness_rows(bench, "two people, unpatched", None),
    ]


def likeness_rows(bench: Workbench, name: str, mode: Mode | None) -> list[Row]:
    """Own and other similarity and members with a face, of two people, without a bound."""
    parts = {"own": "similarity to oneself", "other": "similarity to the other", "found": "members with a face"}
    return [mean_row(bench, f"{name}: {says}", mode, field, 2) for field, says in parts.items()]


def mean_row(
    bench: Workbench,
    name: str,
    mode: Mode | None,
    field: str,
    people: int,
    bound: float | None = None,
    at_most: bool = False,
) -> Row:
    """The mean of one field over the pictures of a mode."""

    def measure() -> Figure:
        values = measured(bench, mode, people)[field]
        return bootstrap_figure(values) if values else Figure(math.nan, math.nan, math.nan, 0)

    least = LEAST_LIKENESS if bound is None else max(LEAST_LIKENESS, enough_for(bound))
    return Row(name, "", measure, bound, at_most, least)


def strength_row(bench: Workbench, name: str, mode: Mode, people: int) -> Row:
    """The strength that a mode was best with when tuned; every other row of the mode runs at it."""

    def measure() -> Figure:
        strength = best_strength(bench, mode, people)
        return Figure(strength, strength, strength, bench.amounts.tuning)

    return Row(f"{name}: best strength", "", measure)
