"""The world that ships, in the real host through stock nodes: what it loads as, draws, and says when it is broken."""

import json
import math
import shutil

import pytest
import torch
from pack.demo.form import FORMS, world_facts
from pack.demo.people_by_name import NAMES, photo_of
from pack.demo.renderer import render
from pack.demo.scenes import random_scenes
from pack.demo.train.publish import MOST_IN_A_FILE, MOST_IN_ALL, WHOLE
from pack.nodes.host import demo_world
from pack.nodes.host.demo_world import WEIGHTS, load_demo_world
from pack.nodes.setup.demo_nodes import DemoPhoto, LoadDemoWorld
from pack.tests.host.demo_pictures import conditioning, decoded, drawn_with_photos, encoded, sampled, state_of

LEAST_PSNR = 25.0  # dB; 29.9 were measured. Raised when the shipped autoencoder gets better, never lowered


@pytest.fixture(scope="module")
def world():
    return load_demo_world()


@pytest.fixture(scope="module")
def drawn():
    return render(random_scenes(8, 2, torch.Generator().manual_seed(77)), 128)


@pytest.fixture
def broken(tmp_path, monkeypatch):
    """A copy of the weights, to be broken."""
    shutil.copytree(WEIGHTS, tmp_path / "weights")
    monkeypatch.setattr(demo_world, "WEIGHTS", tmp_path / "weights")
    return tmp_path / "weights"


def test_the_shipped_world_is_whole_and_small():
    sizes = {path.relative_to(WEIGHTS).as_posix(): path.stat().st_size for path in WEIGHTS.rglob("*") if path.is_file()}

    assert set(sizes) == set(WHOLE)
    assert max(sizes.values()) <= MOST_IN_A_FILE
    assert sum(sizes.values()) <= MOST_IN_ALL


def test_the_shipped_world_knows_the_words_and_shapes_of_the_code():
    facts = json.loads((WEIGHTS / "world.json").read_text(encoding="utf-8"))

    expected = world_facts(facts["form"], FORMS[facts["form"]])
    assert {key: facts[key] for key in expected} == expected


def test_loading_twice_shares_nothing_that_can_change(world):
    again = load_demo_world()

    for one, other in zip(world, again, strict=True):
        weights, others = state_of(one), state_of(other)
        assert {t.data_ptr() for t in weights.values()}.isdisjoint(t.data_ptr() for t in others.values())
        assert all(torch.equal(weights[key], others[key]) for key in weights)
    assert world[0].model_options is not again[0].model_options
    assert world[0].model.latent_format is not again[0].model.latent_format
    assert world[0].model.model_config is not again[0].model.model_config
    assert world[0].model.model_config.sampling_settings is not again[0].model.model_config.sampling_settings


def test_a_change_to_one_world_does_not_reach_another(world, core_nodes):
    untouched = sampled(core_nodes, world)["samples"]
    again = load_demo_world()
    with torch.no_grad():
        for model in again:
            for weight in state_of(model).values():
                weight.zero_()

    assert torch.equal(sampled(core_nodes, world)["samples"], untouched)


@pytest.mark.parametrize("size", [(128, 128), (96, 160)])
def test_the_stock_empty_latent_fits(world, core_nodes, size):
    latent = sampled(core_nodes, world, size=size, batch=2)
    picture = decoded(core_nodes, world, latent)

    width, height = size
    assert latent["samples"].shape == (2, FORMS["128"].latent_channels, height // 8, width // 8)
    assert picture.shape == (2, height, width, 3)
    assert picture.isfinite().all()


def test_prompts_change_the_picture(world, core_nodes):
    prompts = ("two people at the beach", "two people in the forest", "four people at the beach", "")
    pictures = [decoded(core_nodes, world, sampled(core_nodes, world, prompt)) for prompt in prompts]

    for i, one in enumerate(pictures):
        assert all((one - other).abs().mean() > 0.01 for other in pictures[:i])


def test_words_and_photos_change_what_the_transformer_draws(core_nodes):
    world = load_demo_world("transformer")
    one, other = "one person at the beach, red shirt", "one person at night, blue shirt"
    asked = [(one, ()), (other, ()), (one, ("Ada",)), (one, ("Ben",)), (one, ("Ada", "Ben"))]

    pictures = [drawn_with_photos(core_nodes, world, names, text) for text, names in asked]

    for i, picture in enumerate(pictures):
        assert all((picture - before).abs().mean() > 0.01 for before in pictures[:i])


def test_words_it_does_not_know_change_nothing(world, core_nodes):
    known, wordy = (
        conditioning(core_nodes, world[1], text)[0][0]
        for text in ("two beach", "an award-winning photograph of two people having fun at the beach")
    )

    assert torch.equal(known, wordy)


def test_a_prompt_longer_than_the_window_works(world, core_nodes):
    ((states, _),) = conditioning(core_nodes, world[1], "two beach" + ", red smiling left" * 20)

    assert states.shape[1] > 32
    assert sampled(core_nodes, world, "two beach" + ", red smiling left" * 20)["samples"].isfinite().all()


def test_noise_levels_are_those_of_the_training(world):
    sampling = world[0].get_model_object("model_sampling")
    x0, noise = torch.full((1, 8, 2, 2), 3.0), torch.full((1, 8, 2, 2), -1.0)
    sigma = torch.tensor([0.25])

    mixed = sampling.noise_scaling(sigma.view(1, 1, 1, 1), noise, x0)

    assert sampling.timestep(sigma).item() == pytest.approx(250)
    torch.testing.assert_close(mixed, torch.lerp(x0, noise, 0.25))
    torch.testing.assert_close(sampling.calculate_denoised(sigma, noise - x0, mixed), x0)


def test_pictures_come_back_through_the_autoencoder(world, core_nodes, drawn):
    pictures = drawn.picture.permute(0, 2, 3, 1)

    back = decoded(core_nodes, world, encoded(core_nodes, world, pictures))

    psnr = -10 * math.log10((back - pictures).square().mean().item())
    assert psnr > LEAST_PSNR


def test_latents_are_centred_and_of_unit_spread(world, core_nodes, drawn):
    latents = encoded(core_nodes, world, drawn.picture.permute(0, 2, 3, 1))["samples"]

    assert abs(latents.mean().item()) < 0.3
    assert 0.6 < latents.std().item() < 1.6


def test_the_control_net_changes_the_picture_by_its_strength(world, core_nodes, drawn):
    hint = drawn.depth[:1].expand(-1, 3, -1, -1).permute(0, 2, 3, 1)
    free, weak, strong, none = (
        sampled(core_nodes, world, control=control)["samples"]
        for control in (None, (hint, 0.3), (hint, 1.0), (hint, 0.0))
    )

    assert torch.equal(none, free)
    assert 0 < (weak - free).abs().mean() < (strong - free).abs().mean()


@pytest.mark.parametrize(
    "name",
    ["world.json", "unet.safetensors", "text_encoder.safetensors", "vae.safetensors", "depth_control.safetensors"],
)
def test_missing_weights_are_named(broken, name):
    (broken / name).unlink()

    with pytest.raises(FileNotFoundError, match=f"Troupe: {name} is missing from .*Reinstall the pack"):
        LoadDemoWorld.execute()


def test_a_world_without_an_image_encoder_still_loads(broken):
    (broken / demo_world.IMAGE_ENCODER).unlink(missing_ok=True)

    *world, vision = LoadDemoWorld.execute().args

    assert vision is None
    assert all(part is not None for part in world)


def test_the_nodes_hand_out_the_world_and_its_people():
    assert len(LoadDemoWorld.execute().args) == 5
    for name in NAMES[:2]:
        (photo,) = DemoPhoto.execute(name).args
        assert torch.equal(photo[0], photo_of(name))
