"""Apply Cast beside what the host keeps from one call of the model to the next, and packs that add rows of text."""

from dataclasses import replace

import pytest
import torch
from comfy_extras.nodes_context_windows import ContextWindowsManualNode
from comfy_extras.nodes_easycache import EasyCacheNode, LazyCacheNode
from pack.attention.recipes.cast import Member
from pack.attention.recipes.recipe_book import RECIPE_BOOK, recipe_named
from pack.nodes.host.cast.model_patch import patch_cast
from pack.tests.host.tiny_adapters import photographed, tiny_of
from pack.tests.host.tiny_models import LEFT, POSITIVE, RIGHT, TWO, apply, assert_different, sample
from pack.tests.host.vae import random_vae

CACHES = {"EasyCache": EasyCacheNode, "LazyCache": LazyCacheNode}
ADA, BOB = photographed("Ada", 1), photographed("Bob", 2)
CAST = (Member(ADA, LEFT), Member(BOB, RIGHT))


@pytest.fixture(scope="module")
def faceid(tmp_path_factory):
    return tiny_of("faceid", tmp_path_factory.mktemp("faceid"))


@torch.inference_mode()
def with_photos(model, adapter, recipe):
    return patch_cast(model, CAST, adapter, recipe, 1.0, random_vae())


@pytest.mark.parametrize("name", RECIPE_BOOK)
@pytest.mark.parametrize("cache", CACHES)
def test_a_cache_that_skips_nothing_changes_nothing(model, faceid, name, cache):
    patched = with_photos(model, faceid, recipe_named(name))
    cached = CACHES[cache].execute(patched, 0.0, 0.0, 1.0, False).args[0]

    assert torch.equal(sample(cached, steps=4), sample(patched, steps=4))


@pytest.mark.parametrize("cache", CACHES)
def test_a_cache_skips_as_many_steps_beside_photos_as_without(model, faceid, cache, caplog):
    def skipped(recipe):
        caplog.clear()
        patched = with_photos(model, faceid, recipe)
        with caplog.at_level("INFO"):
            sample(CACHES[cache].execute(patched, 3.0, 0.0, 1.0, False).args[0], steps=8)
        return next(record.message for record in caplog.records if "skipped" in record.message)

    seeing = recipe_named("MultiID")
    assert seeing.references.odds > 0
    assert "skipped 0/" not in skipped(seeing)


def test_a_window_over_a_batch_takes_the_photos_of_its_own_pictures(model, tmp_path):
    ada = photographed("Ada", 1, photos=3)
    recipe = replace(recipe_named("decoupled"), photos="one per picture")
    patched = patch_cast(model, (Member(ada, LEFT),), tiny_of("faceid", tmp_path), recipe, 1.0)
    windows = ContextWindowsManualNode.execute(
        patched, 4, 0, "standard_static", 1, False, "flat", 0, False, causal_window_fix=False
    ).args[0]

    whole = sample(patched, batch=8, steps=1)
    torch.testing.assert_close(sample(windows, batch=8, steps=1), whole, atol=2e-3, rtol=1e-3)
    assert_different(whole[4:5], sample(patched, batch=1, steps=1, noise=None)[:1])


def test_rows_of_text_that_are_no_rows_of_the_picture_are_refused_in_a_sentence(model, adapter, mode):
    unet = model.model.diffusion_model
    original = type(unet).forward.__get__(unet)

    def with_another_text(x, timesteps=None, context=None, *args, **kwargs):
        return original(x, timesteps, torch.cat([context, POSITIVE[0][0].to(context)]), *args, **kwargs)

    patched = apply(model, TWO, adapter, mode=mode)
    patched.add_object_patch("diffusion_model.forward", with_another_text)
    with pytest.raises(RuntimeError, match="2 rows of the picture and 3 rows of text"):
        sample(patched, steps=1)
