"""The arithmetic of the bench `adapters`, and the files it measures."""

import subprocess
import sys

import torch
from pack.scripts.benches.adapters import load_ratio, ratio, worst
from pack.scripts.benches.engine.adapter_files import MOST, PUBLISHED, random_state
from pack.scripts.benches.engine.adapter_runs import AdapterRuns
from pack.scripts.bootstrap.places import ROOT


def test_figures_are_relative_to_the_file_and_to_reading_it():
    runs = AdapterRuns(200, read=[2.0, 4.0], load=[3.0, 4.0])

    assert ratio([100, 300], runs) == [0.5, 1.5]
    assert load_ratio(runs) == [1.5, 1.0]


def test_a_figure_is_the_middle_with_the_whole_range():
    figure = worst([5.0, 1.0, 3.0])

    assert (figure.value, figure.low, figure.high) == (3.0, 1.0, 5.0)


WATCHED = """
import sys, types
pack = types.ModuleType("pack")
pack.__path__ = [sys.argv[1]]
sys.modules["pack"] = pack
import torch
from pack.scripts.benches.engine.adapter_runs import watched_memory

with watched_memory() as samples:
    kept = torch.ones(20_000_000)
assert len(kept) * 4 * 0.9 < samples[-1] <= max(samples), samples
"""


def test_memory_is_what_was_added_while_it_was_watched():
    """In a process of its own: this one may give back what other tests took while it is watched."""
    subprocess.run([sys.executable, "-c", WATCHED, str(ROOT)], check=True)


def test_large_tensors_of_a_random_file_have_the_right_spread():
    state = random_state({"a.weight": (3000, 1000), "norm.weight": (7,)}, dtype=torch.float16)

    assert state["a.weight"].numel() > MOST
    assert abs(state["a.weight"].float().std().item() * 1000**0.5 - 1) < 0.01
    assert (state["norm.weight"] - 1).abs().max() < 0.3


def test_finished_keys_and_values_of_four_people_stay_below_the_bound_by_arithmetic():
    file = PUBLISHED["ip-adapter-faceid-plusv2_sdxl"]

    assert 5 * file.tokens * 2 * sum(file.widths) * 2 < 30e6  # people and nobody, tokens, keys and values, bytes
