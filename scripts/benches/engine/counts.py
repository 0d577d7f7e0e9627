"""Count what the patched layers do beyond what the host does in the same layers without the patch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...figures.verdict import Figure
from .runs import Call, within_runs
from .structures import Structure
from .watching import OUTSIDE, counting_calls, cross_attentions, watching

CALLS = 3  # later calls of a run that are watched


@dataclass(frozen=True)
class Counts:
    """What the later calls of a run did. Lists hold a number for every layer of every call, beyond the host's own.

    attention         : attention calls
    masses            : passes over scores for the sake of their mass, without attending
    waits             : for the device, inside the layers
    waits_elsewhere   : for the device, outside of the layers; a number for every call
    first_projections : calls of the adapter's weighty modules during the first call of the run
    later_projections : the same in later calls; a number for every call
    """

    attention: list[int]
    masses: list[int]
    waits: list[int]
    waits_elsewhere: list[int]
    first_projections: int
    later_projections: list[int]


def count(structure: Structure, plain: Any, patched: Any, adapter: Any, size: int) -> Counts:
    """Watch a run of the patched model beside one of the unpatched one."""
    layers = range(len(cross_attentions(plain)))
    found = Counts([], [], [], [], 0, [])

    def job(plain_call: Call, patched_call: Call) -> Counts:
        adapter.kept.clear()  # or nothing would be projected in a later run of the same people
        with counting_calls(adapter.module) as projections:
            plain_call()
            patched_call()
            first = projections.total()
            for _ in range(CALLS):
                projections.clear()
                with watching(plain) as before:
                    plain_call()
                with watching(patched) as after:
                    patched_call()
                found.attention.extend(after.attention[i] - before.attention[i] for i in layers)
                found.masses.extend(after.masses[i] - before.masses[i] for i in layers)
                found.waits.extend(after.waits[i] - before.waits[i] for i in layers)
                found.waits_elsewhere.append(after.waits[OUTSIDE] - before.waits[OUTSIDE])
                found.later_projections.append(projections.total())
                if not all(before.attention[i] for i in layers):
                    raise RuntimeError("The watch saw a layer of the host's without attention: it looks elsewhere.")
        if not first:
            raise RuntimeError("The adapter was not called in the first call of a run: the count looks elsewhere.")
        return Counts(**{**vars(found), "first_projections": first})

    return within_runs(structure, [plain, patched], size, job)


def most(numbers: list[int]) -> Figure:
    """The largest of counted numbers; a count has no interval."""
    return Figure(max(numbers), max(numbers), max(numbers), len(numbers))
