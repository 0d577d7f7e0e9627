"""Compare Recipes and Compare Grid: a model for each recipe, and everything on one sheet."""

import json

import numpy as np
import pytest
import torch
from pack.attention.recipes.cast import Member
from pack.attention.recipes.recipe_book import ABLATIONS, RECIPE_BOOK
from pack.attention.regions.region import Region
from pack.face.identity import Identity, subject_from_pictures
from pack.measure.grid import PAPER
from pack.nodes.scores.compare_nodes import CompareGrid, CompareRecipes
from pack.nodes.scores.recipe_list import DEFAULT, read_recipes
from pack.tests.host.tiny_models import TWO, apply, assert_different, assert_same, sample

RED, BLUE = (torch.tensor(colour).expand(1, 16, 16, 3) for colour in ([1.0, 0, 0], [0, 0, 1.0]))


@pytest.mark.parametrize(
    ("node", "inputs", "outputs"),
    [
        (CompareRecipes, "model cast adapter vae recipes strength", "MODEL STRING"),
        (CompareGrid, "images labels scores cast columns size title", "IMAGE"),
    ],
)
def test_inputs_and_outputs_keep_their_order(node, inputs, outputs):
    schema = node.GET_SCHEMA()

    assert [entry.id for entry in schema.inputs] == inputs.split()
    assert [entry.io_type for entry in schema.outputs] == outputs.split()
    assert all(entry.tooltip for entry in (*schema.inputs, *schema.outputs))


def test_each_line_is_a_model_of_its_own(model, adapter):
    text = "unpatched\ndecoupled\n gated  0.5\n\nAnyMS without local decoupling"
    models, labels = CompareRecipes.execute(model=model, cast=TWO, recipes=text, strength=0.9, adapter=adapter).args

    assert labels == ["unpatched", "decoupled", "gated 0.5", "AnyMS without local decoupling"]
    assert models[0] is model
    assert_same(sample(models[1]), sample(apply(model, TWO, adapter, 0.9)))
    assert_same(sample(models[2]), sample(apply(model, TWO, adapter, 0.5, "gated")))
    assert_different(sample(models[3]), sample(models[1]), 1e-3)


def test_the_list_knows_every_recipe_and_ablation_and_tells_equal_lines_apart():
    names = [*RECIPE_BOOK, *(f"{name} {change}" for name, changes in ABLATIONS.items() for change in changes)]

    assert [entry.recipe for entry in read_recipes("\n".join(names), 1)][: len(RECIPE_BOOK)] == [*RECIPE_BOOK.values()]
    assert [entry.label for entry in read_recipes("gated\ngated", 1)] == ["gated", "gated (2)"]
    assert [entry.strength for entry in read_recipes("gated\ngated 0\ngated .5", 0.7)] == [0.7, 0, 0.5]
    assert read_recipes(DEFAULT, 1)[0].recipe is None


@pytest.mark.parametrize("text", ["nonsense", "decoupled, gated", "0.5"])
def test_a_recipe_that_there_is_not_lists_those_there_are(text):
    with pytest.raises(ValueError, match="Compare Recipes: there is no recipe '.*There are: unpatched, Troupe"):
        read_recipes(text, 1)


def test_an_empty_list_is_refused():
    with pytest.raises(ValueError, match="the list is empty. Write one of these"):
        read_recipes(" \n ", 1)


def grid(images, **more):
    """The sheet as numbers, [H, W, 3]; every value is a list, as ComfyUI gives them to this node."""
    (sheet,) = CompareGrid.execute(images=images, **more).args
    assert sheet.shape[0] == 1
    return (sheet[0].numpy() * 255).round().astype(np.uint8)


def places(sheet, colour):
    """Rows and columns where the colour is."""
    return [np.flatnonzero((sheet == colour).all(-1).any(axis)) for axis in (1, 0)]


def test_a_list_of_runs_is_laid_out_side_by_side():
    sheet = grid([RED, BLUE], labels=["one", "two"], size=[64])

    red, blue = places(sheet, [255, 0, 0]), places(sheet, [0, 0, 255])
    assert [len(axis) for axis in (*red, *blue)] == [64] * 4
    assert red[1].max() < blue[1].min()
    assert (sheet[: red[0].min()] != PAPER).any()


def test_runs_of_several_pictures_are_rows():
    sheet = grid([torch.cat([RED, BLUE]), BLUE], labels=["one", "two"], size=[64], columns=[4])

    assert places(sheet, [255, 0, 0])[0].max() < places(sheet, [0, 0, 255])[0].max()
    assert len(places(sheet, [0, 0, 255])[1]) == 128


def test_a_batch_has_a_label_for_each_picture_or_numbers():
    batch = torch.cat([RED, BLUE, RED])

    labelled, numbered = (grid([batch], labels=[text], size=[64], columns=[3]) for text in ("a\nb\nc", ""))
    assert labelled.shape == numbered.shape
    assert not np.array_equal(labelled, numbered)


def test_scores_stand_below_and_faces_above():
    entry = {"own": 0.5, "other": None, "right_place": 1.0, "expected": 2, "count": 2, "faces": []}
    crops = np.zeros((1, 112, 112, 3), np.uint8)
    ada = Identity("Ada", {"r": np.ones((1, 4))}, crops, np.zeros((1, 5, 2)), np.zeros((1, 4)))
    cup = subject_from_pictures("cup", [np.full((9, 9, 3), 7, np.uint8)])
    cast = tuple(Member(who, Region(who.name)) for who in (ada, cup))
    plain = grid([RED, BLUE], size=[96])

    scored = grid([RED, BLUE], size=[96], scores=[json.dumps({"images": [entry]})] * 2)
    with_faces = grid([RED, BLUE], size=[96], cast=[cast], title=["Two people"])

    assert scored.shape[0] > plain.shape[0]
    assert with_faces.shape[0] > plain.shape[0]
    assert (with_faces == [7, 7, 7]).all(-1).any()


def test_labels_and_scores_of_other_pictures_are_refused():
    with pytest.raises(ValueError, match="3 labels for 2 pictures. Write a line for each"):
        grid([RED, BLUE], labels=["a", "b", "c"])
    with pytest.raises(ValueError, match="'scores' are of 1 pictures, and there are 2"):
        grid([RED, BLUE], scores=[json.dumps({"images": [{"own": 0.5}]})])
    with pytest.raises(ValueError, match="these are no scores"):
        grid([RED], scores=["something"])
