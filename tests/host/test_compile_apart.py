"""TorchCompileModel with people kept apart in convolutions and group norms: the same picture, and no graph break."""

from dataclasses import replace

import torch
from pack.attention.recipes.recipe import Isolation
from pack.attention.recipes.recipe_book import recipe_named
from pack.nodes.host.cast.model_patch import patch_cast
from pack.tests.host.test_compile import adapter, compiled, graphs_and_breaks, model, nothing_compiled_yet, once
from pack.tests.host.tiny_models import TWO, apply, assert_different

__all__ = ["adapter", "model", "nothing_compiled_yet"]  # fixtures
APART = replace(recipe_named("decoupled"), isolation=Isolation(0.0, end=1.0, cells=1000, apart_in="everything"))


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
