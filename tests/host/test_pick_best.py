"""Pick Best: which pictures of a batch are kept, with their latents."""

import json

import pytest
import torch
from comfy_execution.graph_utils import ExecutionBlocker
from pack.nodes.scores.pick_nodes import PickBest

# Four pictures that differ by their brightness.
PICTURES = torch.arange(4.0)[:, None, None, None].expand(4, 2, 2, 3) / 4
OWN = [0.2, 0.6, 0.6, 0.4]


def scores(values=OWN, **more):
    images = [{"own": value, "overall": value / 2, "other": -value, "count": 2, **more} for value in values]
    return json.dumps({"images": images, "left_out": ["copy_paste, blending: connect 'target'."]})


def pick(text=None, keep=1, by="own", images=PICTURES, **more):
    return PickBest.execute(images=images, scores=text or scores(), by=by, keep=keep, **more).args


def test_inputs_and_outputs_keep_their_order():
    schema = PickBest.GET_SCHEMA()

    assert [entry.id for entry in schema.inputs] == ["images", "scores", "latents", "by", "keep"]
    assert [entry.io_type for entry in schema.outputs] == ["IMAGE", "LATENT", "INT", "FLOAT", "STRING"]
    assert all(entry.tooltip for entry in (*schema.inputs, *schema.outputs))


def test_the_best_comes_first_and_of_equals_the_earlier():
    images, _, index, value, report = pick(keep=3)

    assert torch.equal(images, PICTURES[[1, 2, 3]])
    assert (index, value) == (1, 0.6)
    assert report == "Kept 3 of 4 by own: picture 2 (0.60), 3 (0.60), 4 (0.40)."
    assert len(pick(keep=9)[0]) == 4


def test_of_a_figure_of_which_less_is_better_the_least_is_kept():
    assert pick(by="other")[2] == 1
    assert pick(scores([0.6, 0.2]), by="other", images=PICTURES[:2])[2] == 0


def test_one_picture_is_kept_as_it_is():
    assert torch.equal(pick(scores([0.1]), images=PICTURES[:1])[0], PICTURES[:1])


def test_where_nobody_was_found_the_first_is_kept_and_it_is_said():
    images, _, index, value, report = pick(scores([0, 0, 0, 0], count=0))

    assert torch.equal(images, PICTURES[:1])
    assert (index, value) == (0, 0)
    assert "No face was found on any of them" in report


def test_latents_masks_and_numbers_follow():
    latents = {"samples": torch.arange(4.0)[:, None, None, None], "noise_mask": torch.arange(4.0)[:, None, None]}

    kept = pick(keep=2, latents={**latents, "batch_index": [7, 8, 9, 10], "type": "audio"})[1]

    assert kept["samples"].flatten().tolist() == kept["noise_mask"].flatten().tolist() == [1, 2]
    assert (kept["batch_index"], kept["type"]) == ([8, 9], "audio")
    assert latents["samples"].shape[0] == 4
    one_mask = {**latents, "noise_mask": torch.ones(1, 2, 2)}
    assert pick(keep=2, latents=one_mask)[1]["noise_mask"].shape[0] == 1
    assert pick(keep=2, latents=latents)[1]["batch_index"] == [1, 2]


def test_an_output_without_latents_fails_for_who_uses_it_alone():
    blocked = pick()[1]

    assert isinstance(blocked, ExecutionBlocker)
    assert "nothing is connected" in blocked.message


@pytest.mark.parametrize("text", ["", "no JSON", "[]", '{"images": 3}', '{"images": [{}]}'])
def test_something_else_than_scores_is_refused(text):
    with pytest.raises(ValueError, match="these are no scores.*Connect the output 'scores' of Score Cast"):
        PickBest.execute(images=PICTURES, scores=text, by="own", keep=1)


def test_what_does_not_belong_together_is_refused():
    with pytest.raises(ValueError, match="'scores' are of 1 picture, and there are 4 images"):
        pick(scores([0.1]))
    with pytest.raises(ValueError, match="3 latents and 4 images"):
        pick(latents={"samples": torch.zeros(3, 4, 8, 8)})
    with pytest.raises(ValueError, match="no picture has the figure 'copy_paste'.*connect 'target'"):
        pick(by="copy_paste")
    with pytest.raises(ValueError, match="no picture has the figure 'multi_sim'.*Choose another one"):
        pick(by="multi_sim")


def prompt_of(ending):
    """An API prompt: two grey pictures, of which Pick Best keeps the second, and what ends it."""
    empty = {"width": 64, "height": 64, "batch_size": 2, "color": 0x808080}
    return {
        "1": {"class_type": "EmptyImage", "inputs": empty},
        "2": {
            "class_type": "Troupe_PickBest",
            "inputs": {"images": ["1", 0], "scores": scores([0.1, 0.4]), "by": "overall", "keep": 1},
        },
        "3": ending,
    }


def test_the_server_keeps_the_best_and_runs_nothing_on_missing_latents(server):
    save = {"class_type": "SaveImage", "inputs": {"images": ["2", 0], "filename_prefix": "best"}}
    entry = server.post_prompt(prompt_of(save))

    assert len(server.images(entry, "3")) == 1
    assert entry["outputs"]["2"]["text"] == ["Kept 1 of 2 by overall: picture 2 (0.20)."]
    missing = {"class_type": "SaveLatent", "inputs": {"samples": ["2", 1], "filename_prefix": "best"}}
    assert "3" not in server.post_prompt(prompt_of(missing))["outputs"]  # the editor shows the sentence
    assert server.alive()
