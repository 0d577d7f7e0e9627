"""The arithmetic of the bench `endure`, and what it queues."""

import sys
from pathlib import Path

import numpy as np
import pytest
from pack.demo.people_by_name import NAMES
from pack.scripts.benches.endurance.long_run import Endured
from pack.scripts.benches.endurance.queue_runs import KINDS, prompt_of
from pack.scripts.benches.endurance.watched_server import PROBE, WatchedServer
from pack.scripts.benches.endure import failures, slope_figure
from pack.scripts.bootstrap.errors import Refusal
from pack.scripts.bootstrap.installation import Installation
from pack.scripts.bootstrap.places import PACK_FOLDER
from pack.scripts.figures.verdict import verdict

PERIOD = len(KINDS)


def in_turns(runs, growth=0.0, noise=0.0):
    """What a process holds after each run: every kind leaves its own amount, and each run `growth` more."""
    levels = np.array([100.0, 400.0, 250.0, 90.0, 300.0])
    jitter = np.random.default_rng(1).normal(size=runs) * noise
    return levels[np.arange(runs) % PERIOD] + growth * np.arange(runs) + jitter


def test_kinds_that_hold_unlike_amounts_are_no_growth():
    figure = slope_figure(in_turns(200), 50, PERIOD)

    assert (figure.value, figure.low, figure.high) == pytest.approx((0, 0, 0), abs=1e-6)
    assert figure.samples == 30
    assert verdict(figure, 0.01) == "holds"


def test_growth_is_per_run_whatever_came_before_the_first_run_that_counts():
    values = in_turns(203, growth=0.3)
    values[:50] += 1000

    assert slope_figure(values, 50, PERIOD).value == pytest.approx(0.3)
    assert verdict(slope_figure(values, 50, PERIOD), 0.1) == "falls short"


def test_the_interval_covers_the_growth_under_noise():
    figure = slope_figure(in_turns(200, growth=0.2, noise=5), 50, PERIOD)

    assert figure.low < 0.2 < figure.high
    assert 0.01 < figure.high - figure.low < 0.3


def test_two_rounds_decide_nothing():
    assert verdict(slope_figure(in_turns(2 * PERIOD), 0, PERIOD), 1e9) == "undecided"


def test_a_server_on_which_half_of_all_runs_fail_is_no_measurement():
    assert failures(Endured(failed=["a"]), 30) == 1
    with pytest.raises(Refusal, match="16 of 30 runs failed, the first with: KSampler: no"):
        failures(Endured(failed=["KSampler: no"] * 16), 30)


def test_somebodys_own_comfyui_lets_the_pack_and_the_probe_in_alone(tmp_path):
    python = Path(sys.executable)
    theirs = Installation(tmp_path / "ComfyUI", python, tools=python, private=False)
    server = WatchedServer(theirs, tmp_path / "base")

    options = server.pack_options()

    assert options[options.index("--whitelist-custom-nodes") + 1 :] == [PACK_FOLDER, PROBE.name]
    assert (tmp_path / "base" / "probe_nodes" / PROBE.name).read_bytes() == PROBE.read_bytes()


def test_prompts_are_the_same_when_asked_for_again_and_differ_from_round_to_round():
    first, later = prompt_of(0), prompt_of(PERIOD)

    assert prompt_of(0) == first
    assert {node: later[node]["class_type"] for node in later} == {node: first[node]["class_type"] for node in first}
    assert {node for node in first if first[node] != later[node]} >= {"regions", "photo 0", "member 0", "sampled"}


@pytest.mark.parametrize("kind", [0, 1, 3, 4])
def test_after_four_rounds_a_kind_with_several_people_has_had_everybody(kind):
    prompts = [prompt_of(kind + PERIOD * number) for number in range(4)]
    seen = {node["inputs"]["person"] for prompt in prompts for node in prompt.values() if "person" in node["inputs"]}

    assert seen == set(NAMES)


def test_the_kinds_differ_in_people_size_recipe_adapter_and_control_net():
    prompts = [prompt_of(run) for run in range(PERIOD)]

    assert len({sum(node["class_type"] == "Troupe_CastMember" for node in prompt.values()) for prompt in prompts}) == 4
    assert len({tuple(prompt["latent"]["inputs"].values()) for prompt in prompts}) == PERIOD
    assert len({prompt["applied"]["inputs"]["recipe"] for prompt in prompts}) == PERIOD
    assert len({prompt["adapter"]["inputs"]["file"] for prompt in prompts}) == 2
    assert {"depth" in prompt for prompt in prompts} == {True, False}
