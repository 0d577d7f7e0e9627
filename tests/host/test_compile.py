"""ComfyUI's own TorchCompileModel before Apply Cast and after it: the same picture, and no more graph breaks.

The backend is "eager", which traces, guards and breaks like the node's own "inductor" but without kernels, which take
minutes and a C++ compiler. With inductor the same cast was drawn when this was written.
"""

import importlib
import logging
import sys
from dataclasses import replace
from types import ModuleType

import pytest
import torch
from comfy_extras.nodes_torch_compile import TorchCompileModel
from pack.attention.recipes.cast import Member
from pack.attention.recipes.recipe import Isolation, Recipe
from pack.attention.recipes.recipe_book import recipe_named
from pack.attention.regions.region import Region
from pack.nodes.host.cast.model_patch import patch_cast
from pack.nodes.host.effects.attention_recorder import record_attention
from pack.nodes.host.model.blocks import cross_attention_blocks
from pack.scripts.bootstrap.places import ROOT
from pack.tests.host.tiny_models import (
    ADA,
    BOB,
    CY,
    TWO,
    apply,
    assert_different,
    assert_same,
    conditioning,
    sample,
    tiny_adapter,
    tiny_model,
)
from pack.tests.host.vae import PAIR, SEEING
from torch._dynamo.utils import counters

# One attention layer per block and two levels: compiling SD1.5's whole structure takes four times as long.
SMALL = {
    "num_res_blocks": [1, 1],
    "channel_mult": [1, 2],
    "transformer_depth": [1, 1],
    "transformer_depth_output": [1, 1, 1, 1],
}
SPOT = (Member(CY, Region("spot", x=0.3, y=0.3, width=0.3, height=0.3)),)
APART = replace(recipe_named("decoupled"), isolation=Isolation(0.0, end=1.0, cells=1000, apart_in="everything"))
OVERLAPPING = (*TWO, Member(CY, Region("middle", x=0.2, width=0.6), strength=0.5))


@pytest.fixture(scope="module")
def model():
    return tiny_model(**SMALL)


@pytest.fixture(scope="module")
def adapter(model, tmp_path_factory):
    widths = [block.width for block in cross_attention_blocks(model)]
    return tiny_adapter(tmp_path_factory.mktemp("adapter"), widths=widths)


@pytest.fixture(autouse=True)
def nothing_compiled_yet(monkeypatch):
    monkeypatch.setattr(logging.getLogger("torch.__trace"), "propagate", False)  # or pytest keeps thousands of lines
    torch._dynamo.reset()
    counters.clear()
    yield
    torch._dynamo.reset()


def compiled(model, backend="eager"):
    """The node's work."""
    return TorchCompileModel.execute(model, backend).result[0]


def graphs_and_breaks():
    """How many graphs were made since the test began, and at how many places tracing gave up."""
    return counters["stats"]["unique_graphs"], sum(counters["graph_break"].values())


def once(model, **options):
    return sample(model, steps=1, **options)


def test_a_cast_adds_no_graph_and_no_graph_break(model, adapter):
    once(compiled(model))
    unpatched = graphs_and_breaks()
    torch._dynamo.reset()
    counters.clear()

    once(compiled(apply(model, TWO, adapter)))

    assert unpatched == (1, 0)
    assert graphs_and_breaks() == unpatched


@pytest.mark.parametrize("cast_first", [True, False], ids=["cast, compile", "compile, cast"])
def test_a_compiled_cast_is_the_cast(model, adapter, cast_first):
    both = compiled(apply(model, TWO, adapter)) if cast_first else apply(compiled(model), TWO, adapter)

    assert torch.equal(once(both), once(apply(model, TWO, adapter)))
    assert graphs_and_breaks() == (1, 0)


def test_a_cast_acts_after_the_unpatched_model_was_compiled_and_run(model, adapter):
    plain = compiled(model)
    untouched = once(plain)

    patched = once(apply(plain, TWO, adapter))

    assert torch.equal(patched, once(apply(model, TWO, adapter)))
    assert_different(patched, untouched)
    assert torch.equal(once(plain), untouched)
    assert graphs_and_breaks() == (2, 0)


def test_any_cast_runs_through_the_graph_that_was_compiled_for_another(model, adapter):
    once(compiled(apply(model, TWO, adapter)))

    for cast in (SPOT, OVERLAPPING, TWO):
        assert torch.equal(once(compiled(apply(model, cast, adapter))), once(apply(model, cast, adapter)))
    assert graphs_and_breaks() == (1, 0)


def test_two_clones_keep_their_casts(model, adapter):
    base = compiled(model)
    one, other = apply(base, TWO, adapter), apply(base, SPOT, adapter)
    expected = once(apply(model, TWO, adapter)), once(apply(model, SPOT, adapter))

    assert torch.equal(once(one), expected[0])
    assert torch.equal(once(other), expected[1])
    assert torch.equal(once(one), expected[0])


def test_two_casts_on_one_compiled_model_both_act(model, adapter):
    left, right = [Member(ADA, TWO[0].region)], [Member(BOB, TWO[1].region)]
    single = compiled(apply(model, left, adapter))
    once(single)

    stacked = once(apply(single, right, adapter))

    assert torch.equal(stacked, once(apply(apply(model, left, adapter), right, adapter)))
    assert_same(stacked, once(apply(model, TWO, adapter)))
    assert graphs_and_breaks() == (1, 0)


def test_a_cast_on_a_second_size_is_right(model, adapter):
    both = compiled(apply(model, TWO, adapter))

    for size in ((8, 8), (16, 12), (9, 13)):
        assert torch.equal(once(both, size=size), once(apply(model, TWO, adapter), size=size))
    assert graphs_and_breaks()[1] == 0


def test_a_recorded_cast_runs_through_the_same_graph(model, adapter):
    once(compiled(apply(model, TWO, adapter)))
    recorded, recorder = record_attention(compiled(apply(model, TWO, adapter)))
    eager, expected = record_attention(apply(model, TWO, adapter))

    latents = once(recorded)
    assert torch.equal(latents, once(eager))
    assert all(map(torch.equal, recorder.recorded(latents).means, expected.recorded(latents).means))
    assert graphs_and_breaks() == (1, 0)


@pytest.mark.parametrize("mechanism", ["isolation", "prompts", "references"])
def test_what_else_a_recipe_does_runs_through_the_same_graph(model, adapter, vae, mechanism):
    once(compiled(apply(model, TWO, adapter)))
    cast, recipe = TWO, replace(recipe_named("decoupled"), isolation=Isolation(0.0, end=1.0))
    if mechanism == "prompts":
        cast, recipe = tuple(replace(member, prompt=conditioning(31)) for member in TWO), recipe_named("decoupled")
    if mechanism == "references":
        cast, recipe = PAIR, Recipe("decoupled", references=SEEING)
    with torch.inference_mode():
        expected = patch_cast(model, cast, adapter, recipe, 1.0, vae)
        patched = patch_cast(compiled(model), cast, adapter, recipe, 1.0, vae)

    assert_different(once(expected), once(apply(model, TWO, adapter)))
    assert_same(once(patched), once(expected))
    assert graphs_and_breaks() in ((1, 0), (2, 0))  # photos may have another number of rows than the picture


def test_people_kept_apart_in_everything_are_compiled_without_a_break(model, adapter):
    apart = patch_cast(model, TWO, adapter, APART, 1.0)

    assert torch.equal(once(compiled(apart)), once(apart))
    assert graphs_and_breaks() == (1, 0)


def test_a_graph_without_severed_layers_is_not_taken_for_one_with_them(model, adapter):
    plain = compiled(apply(model, TWO, adapter))
    severed = patch_cast(compiled(model), TWO, adapter, APART, 1.0)
    expected = once(apply(model, TWO, adapter)), once(patch_cast(model, TWO, adapter, APART, 1.0))

    assert torch.equal(once(plain), expected[0])
    assert torch.equal(once(severed), expected[1])
    assert torch.equal(once(plain), expected[0])
    assert_different(*expected)
    assert graphs_and_breaks()[1] == 0


@pytest.fixture
def another_copy(monkeypatch):
    """A second folder of the pack has been loaded into this process."""
    second = ModuleType("second_copy")
    second.__path__ = [str(ROOT)]
    monkeypatch.setitem(sys.modules, "second_copy", second)
    importlib.import_module("second_copy.nodes.host.cast.model_patch")
    yield
    for name in [name for name in sys.modules if name.startswith("second_copy.")]:
        del sys.modules[name]


def test_a_second_copy_of_the_pack_takes_nothing_from_the_first(model, adapter, another_copy):
    both = compiled(apply(model, TWO, adapter))

    assert torch.equal(once(both), once(apply(model, TWO, adapter)))
