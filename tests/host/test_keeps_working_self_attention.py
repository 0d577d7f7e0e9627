"""People kept apart, and their photos, beside patches of the host that merge, tile or resize what layers see."""

import pytest
import torch
from pack.attention.recipes.recipe import APART_IN, Isolation, Recipe
from pack.nodes.host.cast.model_patch import patch_cast
from pack.tests.host.test_keeps_working_packs import STOCK
from pack.tests.host.tiny_models import assert_different, sample
from pack.tests.host.vae import PAIR, SEEING

PLAIN = Recipe("decoupled")
RECIPES = {kind: Recipe("decoupled", isolation=Isolation(0.0, end=1.0, apart_in=kind)) for kind in APART_IN}
RECIPES["photos"] = Recipe("decoupled", references=SEEING)


@pytest.mark.parametrize("cast_first", [True, False], ids=["cast, patch", "patch, cast"])
@pytest.mark.parametrize("name", STOCK)
@pytest.mark.parametrize("recipe", RECIPES)
def test_patches_of_the_host_and_what_goes_beyond_regions_draw_together(model, adapter, vae, recipe, name, cast_first):
    @torch.inference_mode()
    def drawn(recipe):
        stock = STOCK[name]
        if cast_first:
            patched = stock(patch_cast(model, PAIR, adapter, recipe, 1.0, vae))
        else:
            patched = patch_cast(stock(model), PAIR, adapter, recipe, 1.0, vae)
        return sample(patched, size=(16, 16), steps=1, batch=2)

    assert_different(drawn(RECIPES[recipe]), drawn(PLAIN), 1e-4)
