"""Apply Cast while inpainting, in every mode: noise masks, and models that are given the picture to paint in."""

import pytest
import torch
from pack.tests.host.layer_recorder import record_layers
from pack.tests.host.region_cells import assert_only_inside
from pack.tests.host.tiny_models import (
    LEFT,
    NEGATIVE,
    POSITIVE,
    RIGHT,
    TWO,
    apply,
    assert_different,
    assert_same,
    sample,
    starting_noise,
    tiny_model,
)


def picture(batch: int = 1, seed: int = 31) -> torch.Tensor:
    return 0.5 * starting_noise(batch, seed=seed)


def left_open(size: int = 8) -> torch.Tensor:
    """A noise mask: the left half is to be painted, the right half stays."""
    mask = torch.zeros(1, 1, size, size)
    mask[..., : size // 2] = 1
    return mask


@pytest.mark.parametrize("kept", [LEFT, RIGHT])
def test_a_noise_mask_keeps_what_it_covers(model, adapter, mode, kept):
    mask = left_open() if kept is RIGHT else 1 - left_open()
    patched = apply(model, TWO, adapter, mode=mode)

    painted = sample(patched, latent=picture(2), batch=2, denoise_mask=mask)

    closed = (mask == 0).expand_as(painted)
    assert_same(painted[closed], picture(2)[closed], tolerance=1e-5)
    assert_different(painted[~closed], sample(model, latent=picture(2), batch=2, denoise_mask=mask)[~closed])


def test_a_noise_mask_that_covers_nothing_is_none(patched):
    everything = sample(patched, latent=picture(), denoise_mask=torch.ones(1, 1, 8, 8))

    assert_same(everything, sample(patched, latent=picture()))


@pytest.fixture(scope="module")
def inpainting_model():
    model = tiny_model(in_channels=9)
    model.model.set_inpaint()
    return model


def with_picture(prompt, image, mask):
    return [[tokens, {**values, "concat_latent_image": image, "concat_mask": mask}] for tokens, values in prompt]


def inpaint(model, image, mask, **settings):
    prompts = [with_picture(prompt, image, mask) for prompt in (POSITIVE, NEGATIVE)]
    return sample(model, *prompts, **settings)


def test_an_inpainting_model_changes_only_the_cells_of_the_regions(inpainting_model, adapter, mode):
    with record_layers(inpainting_model) as (recorded, calls):
        patched = apply(recorded, TWO[:1], adapter, mode=mode)
        inpaint(patched, picture(2), left_open(), batch=2, steps=1)

    assert_only_inside(calls, [LEFT], (8, 8), images=2, least=16)


def test_an_inpainting_model_paints_a_batch_like_single_pictures(inpainting_model, adapter, mode):
    patched = apply(inpainting_model, TWO, adapter, mode=mode)
    noise, images = starting_noise(2), picture(2)

    single = torch.cat([inpaint(patched, images[i : i + 1], left_open(), noise=noise[i : i + 1]) for i in range(2)])

    assert_same(inpaint(patched, images, left_open(), noise=noise), single)
    assert_different(inpaint(patched, -images, left_open(), noise=noise), single)
