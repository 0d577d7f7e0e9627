"""The workflow `13 Where each person acted` on a real server: run again from its cache, anew, stopped, two samplers."""

import copy
import io
import json

import numpy as np
import pytest
from pack.scripts.bootstrap.places import ROOT
from pack.tests.host.followed import follow, interrupt
from PIL import Image

WORKFLOW = ROOT / "workflows" / "13 Where each person acted.json"
SAMPLER, RECORD, MAPS, OVERLAYS, STRIP = "17", "20", "21", "22", "23"


@pytest.fixture
def prompt(server):
    """The workflow with few steps."""
    prompt = server.to_api(json.loads(WORKFLOW.read_text(encoding="utf-8")))
    prompt[SAMPLER]["inputs"]["steps"] = 4
    return prompt


def pictures(server, entry, node=OVERLAYS):
    return [np.asarray(Image.open(io.BytesIO(file)).convert("RGB"), float) for file in server.images(entry, node)]


def cached(entry):
    """Nodes whose results were kept from an earlier run."""
    return next(set(data["nodes"]) for event, data in entry["status"]["messages"] if event == "execution_cached")


def test_each_person_is_shown_in_their_half_alone(server, prompt):
    ada, dev = pictures(server, server.post_prompt(prompt))

    def coloured(picture):
        """[left, right]: how colourful the halves are, without the frame and the label."""
        colour = np.ptp(picture, axis=2)[64:-16, 16:-16]
        return [float(half.mean()) for half in np.split(colour, 2, axis=1)]

    assert coloured(ada)[0] > 20 > 1 > coloured(ada)[1]
    assert coloured(dev)[1] > 20 > 1 > coloured(dev)[0]


def test_maps_of_a_sampling_that_comes_from_the_cache_are_still_there(server, prompt):
    first = pictures(server, server.post_prompt(prompt))
    prompt[MAPS]["inputs"]["layers"] = "output"

    entry = server.post_prompt(prompt)
    assert {SAMPLER, RECORD} <= cached(entry)
    assert MAPS not in cached(entry)
    assert not np.array_equal(pictures(server, entry)[0], first[0])


def test_another_seed_is_recorded_anew(server, prompt):
    first = pictures(server, server.post_prompt(prompt), STRIP)
    prompt[SAMPLER]["inputs"]["seed"] += 1

    entry = server.post_prompt(prompt)
    assert RECORD in cached(entry)
    assert SAMPLER not in cached(entry)
    assert not np.array_equal(pictures(server, entry, STRIP)[0], first[0])


def test_a_sampling_that_the_editor_stops_leaves_the_next_one_whole(server, prompt):
    prompt[SAMPLER]["inputs"] |= {"seed": 5, "steps": 12}
    stopped = follow(server, prompt, on_bar=lambda node, value: node == SAMPLER and value == 3 and interrupt(server))
    assert stopped.ending == "execution_interrupted"

    again = pictures(server, server.post_prompt(prompt), STRIP)
    server.free()
    fresh = pictures(server, server.post_prompt(prompt), STRIP)
    assert np.array_equal(again[0], fresh[0])


def test_two_samplers_on_one_recorded_model_are_told_apart(server, prompt):
    alone = [pictures(server, server.post_prompt(seeded(prompt, seed)), STRIP)[0] for seed in (1, 2)]
    both = seeded(prompt, 1)
    second = {"s2": SAMPLER, "d2": "18", "m2": MAPS, "p2": STRIP}
    for new, old in second.items():
        node = copy.deepcopy(both[old])
        for name, value in node["inputs"].items():
            if isinstance(value, list):
                node["inputs"][name] = [next((n for n, o in second.items() if o == value[0]), value[0]), value[1]]
        both[new] = node
    both["s2"]["inputs"]["seed"] = 2

    entry = server.post_prompt(both)
    assert np.array_equal(pictures(server, entry, STRIP)[0], alone[0])
    assert np.array_equal(pictures(server, entry, "p2")[0], alone[1])


def seeded(prompt, seed):
    changed = copy.deepcopy(prompt)
    changed[SAMPLER]["inputs"]["seed"] = seed
    return changed
