"""The node Refine Cast: what it hands on, and what it says when something is missing."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from pack.attention.recipes.recipe_book import recipe_named
from pack.attention.regions.region import Region
from pack.nodes.host.cast.model_patch import patch_cast
from pack.nodes.host.images import to_images, to_pictures
from pack.nodes.refine.refine_nodes import RefineCast
from pack.nodes.refine.refine_report import REDRAWN
from pack.tests.host.refine_scene import PEOPLE, RefineScene

INPUTS = (
    "model vae engine images cast positive negative adapter? recipe strength seed steps cfg sampler_name scheduler "
    "denoise size room feather"
)


@pytest.fixture(scope="module")
def scene(core_nodes):
    return RefineScene(core_nodes)


def widgets(**changes):
    return {
        "recipe": "Troupe", "strength": 0.8, "seed": 7, "steps": 1, "cfg": 1.0, "sampler_name": "euler",
        "scheduler": "simple", "denoise": 0.7, "size": 128, "room": 2.0, "feather": 0.2,
    } | changes  # fmt: skip


def run_node(scene, images, cast, **changes):
    prompts = {"positive": scene.prompt("one person at the beach"), "negative": scene.prompt("")}
    sockets = {"model": scene.model, "vae": scene.vae, "engine": scene.engine, "adapter": scene.adapter}
    with torch.inference_mode():
        return RefineCast.execute(images=images, cast=cast, **sockets, **prompts, **widgets(**changes)).args


def test_inputs_and_outputs_keep_their_order_for_saved_workflows():
    schema = RefineCast.GET_SCHEMA()

    assert [entry.id + "?" * bool(entry.optional) for entry in schema.inputs] == INPUTS.split()
    assert [entry.get_io_type() for entry in schema.outputs] == ["IMAGE", "IMAGE", "STRING"]


def test_the_node_keeps_the_numbers_of_all_other_pixels(scene):
    images = to_images([scene.picture]) + 1e-4  # no picture of 8 bits has them
    new, sheets, report = run_node(scene, images, scene.cast[:2], size=125)

    changed = (new != images).any(-1)[0]
    assert 0.01 < changed.float().mean() < 0.5
    assert not changed[:, 2 * 128 // PEOPLE + 1 :].any()
    assert sheets.shape[0] == 2
    assert sheets.shape[2] > 2 * 256
    assert "to 128 pixels" in report


def test_transparent_pictures_come_back_in_colour(scene):
    images = torch.cat([to_images([scene.picture]), torch.ones(1, 128, 128, 1)], -1)
    new, _, _ = run_node(scene, images, scene.cast[:1])

    assert new.shape == (1, 128, 128, 3)
    assert np.array_equal(to_pictures(new)[0][:, 64:], scene.picture[:, 64:])


def test_without_a_face_the_node_hands_the_pictures_on(scene):
    images = to_images([scene.picture])
    same, sheet, report = run_node(scene, images, (replace(scene.cast[0], region=Region("sky", height=0.1)),))

    assert torch.equal(same, images)
    assert sheet.shape[0] == 1
    assert report == "Ada: left alone, no face was found in the region"


def test_the_model_is_not_changed_and_one_with_a_cast_is_refused(scene):
    assert not scene.model.wrappers
    assert "patches_replace" not in scene.model.model_options["transformer_options"]
    patched = patch_cast(scene.model, scene.cast, scene.adapter, recipe_named("decoupled"), 1.0)

    with pytest.raises(ValueError, match="Refine Cast: the model comes from Apply Cast.*Connect the model that goes"):
        scene.refine(scene.cast, model=patched)


def test_what_is_missing_is_named(scene):
    with pytest.raises(ValueError, match="Refine Cast: the cast is empty"):
        scene.refine(())
    foreign = replace(scene.cast[1], prompt=[[torch.zeros(1, 77, 33), {}]])
    with pytest.raises(ValueError, match="the prompt of 'Ben' has text tokens of width 33"):
        scene.refine([foreign])


def test_a_members_own_adapter_does_and_so_does_the_file_that_fits(scene):
    for member in (replace(scene.cast[0], adapter=scene.adapter), scene.cast[0]):
        ((outcome,),) = scene.refine([member], adapter=None).outcomes
        assert outcome.state == REDRAWN
