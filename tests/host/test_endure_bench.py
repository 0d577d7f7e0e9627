"""What the bench `endure` queues is what a real server's nodes take."""

import pytest
from pack.scripts.benches.endurance.queue_runs import KINDS, prompt_of


@pytest.mark.parametrize("run", range(len(KINDS)))
def test_every_node_gets_what_it_needs_and_nothing_that_it_does_not_know(server, run):
    known = server.object_info()
    prompt = prompt_of(run)

    for node in prompt.values():
        inputs = known[node["class_type"]]["input"]
        required, optional = set(inputs.get("required", {})), set(inputs.get("optional", {}))
        assert required <= set(node["inputs"]) <= required | optional
        choices = {name: spec[0] for name, spec in inputs.get("required", {}).items() if isinstance(spec[0], list)}
        assert all(node["inputs"][name] in options for name, options in choices.items())


def test_a_run_draws_its_picture(server):
    prompt = prompt_of(2)
    entry = server.post_prompt(prompt)

    assert len(server.images(entry, "saved")) == 1
