"""The command that trains the offline world, from nothing to weights that the host samples; and going on from those."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from pack.demo.captions import encode, word_numbers
from pack.demo.form import CONTEXT, FORMS, TEXT, world_facts
from pack.demo.people_by_name import photo_of
from pack.demo.train.adapter import TOKENS
from pack.demo.train.flux import Reference, velocity
from pack.demo.train.host_models import image_embeds, new_image_encoder, new_text_encoder, text_states
from pack.demo.train.publish import WHOLE
from pack.demo.train.shipped import IMAGE_ENCODER, Shipped, start_from
from pack.demo.train.stages import STAGES
from pack.demo.train.subject_encoder import CONFIG, SIDE, WIDTH
from pack.demo.train.training import Training
from pack.nodes.host import demo_world
from pack.nodes.host.demo_world import load_demo_vision, load_demo_world
from pack.tests.host.conftest import ROOT, host_folder
from pack.tests.host.demo_pictures import TWO_AT_THE_BEACH, conditioning, decoded, drawn_with_photos, sampled
from safetensors.torch import load_file

SMOKE = FORMS["smoke"]


@pytest.fixture(scope="module", autouse=True)
def as_nodes_run():
    """Not so here, where models learn."""


def train_world(*arguments):
    """The command as people run it, with the host and the Python of these tests."""
    command = [sys.executable, str(ROOT / "scripts" / "train_world.py"), "--comfyui", str(host_folder()), *arguments]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(command, env={**os.environ, "PATH": path}, capture_output=True, text=True)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A run of two steps a stage: `work` with its checkpoints, `shipped` with what it published, and what it said."""
    folder = tmp_path_factory.mktemp("world")
    places = ["--work", str(folder / "work"), "--shipped", str(folder / "shipped")]
    ended = train_world("smoke", "--stages", "all", "--publish", "--threads", "1", *places)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return folder, ended


@pytest.fixture
def world(trained, monkeypatch):
    monkeypatch.setattr(demo_world, "WEIGHTS", trained[0] / "shipped")
    return load_demo_world()


def going_on(trained, folder, *chosen) -> Training:
    """A run in another folder that knows of the published weights only; its scenes are those of the first run."""
    for scenes in ("corpus", "distant", "wide"):
        shutil.copytree(trained[0] / "work" / scenes, folder / scenes)
    shipped = Shipped(trained[0] / "shipped", "smoke", SMOKE)
    return Training("smoke", SMOKE, folder, folder / "weights", frozenset(chosen), shipped)


def test_the_command_trains_every_stage_and_publishes(trained):
    folder, ended = trained

    assert {path.stem for path in (folder / "work").glob("*.pt")} >= set(SMOKE.steps)
    assert {path.relative_to(folder / "shipped").as_posix() for path in (folder / "shipped").rglob("*.*")} == set(WHOLE)
    assert "MB  in all" in ended.stdout
    facts = json.loads((folder / "shipped" / "world.json").read_text())
    assert facts == {**world_facts("smoke", SMOKE), "steps": SMOKE.steps}


def test_every_stage_that_trains_has_its_steps():
    for form in FORMS.values():
        assert set(form.steps) == set(STAGES) - {"corpus"}


def test_a_stage_that_there_is_not_is_named():
    ended = train_world("smoke", "--stages", "corpus,nonsense")

    assert ended.returncode == 2
    assert "No stage called nonsense; there are corpus, autoencoder" in ended.stderr


def test_publishing_refuses_in_a_sentence(tmp_path):
    ended = train_world("smoke", "--publish", "--work", str(tmp_path), "--shipped", str(tmp_path / "shipped"))

    assert ended.returncode == 1
    assert "no finished weights" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_host_samples_what_was_trained(world, core_nodes):
    picture = decoded(core_nodes, world, sampled(core_nodes, world))

    assert picture.shape == (1, 128, 128, 3)
    assert picture.isfinite().all()


def test_the_host_samples_the_transformer_with_pictures_of_people(trained, core_nodes, monkeypatch):
    monkeypatch.setattr(demo_world, "WEIGHTS", trained[0] / "shipped")
    world = load_demo_world("transformer")

    pictures = [drawn_with_photos(core_nodes, world, names) for names in ((), ("Ada",), ("Ada", "Ben"), ("Ben", "Ada"))]

    assert all(picture.shape == (1, 128, 128, 3) and picture.isfinite().all() for picture in pictures)


def test_the_host_asks_the_transformer_what_its_training_asked(trained, core_nodes, monkeypatch):
    monkeypatch.setattr(demo_world, "WEIGHTS", trained[0] / "shipped")
    model, clip, *_ = load_demo_world("transformer")
    with torch.no_grad():
        for parameter in model.model.diffusion_model.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(4)) * 0.1)
    x, sigma, (photo, layout) = torch.randn(1, 8, 16, 16), torch.tensor([0.7]), torch.randn(2, 1, 8, 8, 8)
    ((states, _),) = conditioning(core_nodes, clip, TWO_AT_THE_BEACH)

    with torch.no_grad():
        denoised = model.model.apply_model(x, sigma, c_crossattn=states, ref_latents=[photo, layout])
        references = [Reference(photo, torch.tensor([10.0])), Reference(layout, torch.tensor([20.0]))]
        asked = velocity(model.model.diffusion_model, x, sigma, states.float(), references)

    torch.testing.assert_close(denoised, x - asked * 0.7, atol=1e-4, rtol=1e-4)


def test_the_host_reads_prompts_as_the_training_did(trained, world, core_nodes):
    tokens = torch.tensor([encode(word_numbers(TWO_AT_THE_BEACH))])
    model = new_text_encoder(TEXT)
    start_from(model, load_file(trained[0] / "shipped" / "text_encoder.safetensors"))

    with torch.no_grad():
        expected = text_states(model, tokens)
    ((states, _),) = conditioning(core_nodes, world[1], TWO_AT_THE_BEACH)

    torch.testing.assert_close(states.float(), expected, atol=2e-3, rtol=2e-3)


def test_the_stock_clip_vision_encode_sees_photos_as_the_training_did(trained, world, core_nodes):
    photos = torch.stack([photo_of(name, SIDE) for name in ("Ada", "Ben")])
    photos = (photos * 255).round() / 255
    model = new_image_encoder(CONFIG)
    start_from(model, load_file(trained[0] / "shipped" / IMAGE_ENCODER))

    with torch.inference_mode():
        expected = image_embeds(model, photos.movedim(-1, 1) * 2 - 1)
        encode = core_nodes["CLIPVisionEncode"]().encode
        (small,) = encode(load_demo_vision(), photos, "center")
        (large,) = encode(load_demo_vision(), photo_of("Ada", 256)[None], "none")

    torch.testing.assert_close(small["image_embeds"].float(), expected, atol=2e-3, rtol=2e-3)
    assert large["image_embeds"].shape == (1, WIDTH)
    assert (trained[0] / "shipped" / IMAGE_ENCODER).stat().st_size < 0.8e6


def test_the_plain_adapter_has_the_keys_and_shapes_of_published_ones(trained):
    files = {name: f"ipadapter/troupe-demo-{name}.safetensors" for name in ("subject", "faceid")}
    shapes, faceid = (
        {key: tuple(value.shape) for key, value in load_file(trained[0] / "shipped" / file).items()}
        for file in files.values()
    )

    assert shapes.pop("image_proj.proj.weight") == (TOKENS * CONTEXT, WIDTH)
    assert shapes.pop("image_proj.proj.bias") == (TOKENS * CONTEXT,)
    assert shapes == {key: shape for key, shape in faceid.items() if not key.startswith("image_proj.proj")}
    assert set(shapes) == {"image_proj.norm.weight", "image_proj.norm.bias"} | {
        f"ip_adapter.{number}.to_{which}_ip.weight" for number in range(1, 33, 2) for which in "kv"
    }


def test_a_part_that_is_needed_is_taken_as_it_ships_and_the_chosen_one_goes_on_from_there(trained, tmp_path, caplog):
    caplog.set_level("INFO")
    training = going_on(trained, tmp_path, "identity")

    STAGES["identity"](training)

    for part in ("autoencoder", "text_to_image", "recogniser"):
        assert f"{part} is taken from the shipped weights" in caplog.text
    assert "identity starts from the shipped weights" in caplog.text
    assert {path.name for path in tmp_path.glob("*.pt")} == {"identity.pt", "latents.pt"}
    before, after = (
        load_file(folder / "unet.safetensors") for folder in (trained[0] / "shipped", tmp_path / "weights")
    )
    assert all((after[key].float() - before[key].float()).abs().max() < 1e-2 for key in before)
    assert any(not torch.equal(after[key], before[key]) for key in before)


def test_the_transformer_goes_on_from_what_ships_and_needs_no_other_model_trained(trained, tmp_path, caplog):
    caplog.set_level("INFO")
    training = going_on(trained, tmp_path, "transformer")

    STAGES["transformer"](training)
    written = load_file(tmp_path / "weights" / "transformer.safetensors")
    shutil.rmtree(tmp_path / "corpus")
    again = Training("smoke", SMOKE, tmp_path, tmp_path / "again", frozenset(["transformer"]), training.shipped)
    STAGES["transformer"](again)

    assert "transformer starts from the shipped weights" in caplog.text
    files = ("transformer", "layouts", "photos", "latents")
    assert {path.name for path in tmp_path.glob("*.pt")} == {f"{name}.pt" for name in files}
    finished = load_file(tmp_path / "again" / "transformer.safetensors")
    assert all(torch.equal(finished[key], written[key]) for key in written)
    before = load_file(trained[0] / "shipped" / "transformer.safetensors")
    assert any(not torch.equal(before[key], written[key]) for key in before)


def test_sharpening_the_decoder_leaves_latents_alone(trained, tmp_path):
    training = going_on(trained, tmp_path, "decoder")

    STAGES["decoder"](training)

    before, after = (load_file(folder / "vae.safetensors") for folder in (trained[0] / "shipped", tmp_path / "weights"))
    changed = {key for key in before if not torch.equal(before[key], after[key])}
    assert changed
    assert all(key.startswith("taesd_decoder") for key in changed)


def test_a_decoder_of_another_encoder_is_refused(trained, tmp_path):
    shutil.copy(trained[0] / "work" / "decoder.pt", tmp_path)
    training = going_on(trained, tmp_path, "decoder")
    with torch.no_grad():
        training.autoencoder.taesd_encoder[0].weight.mul_(1.1)

    with pytest.raises(RuntimeError, match=r"decoder\.pt builds upon weights that have changed"):
        STAGES["decoder"](training)


def test_what_is_trained_here_counts_more_than_what_ships(trained, tmp_path):
    shutil.copy(trained[0] / "work" / "text_to_image.pt", tmp_path)
    training = going_on(trained, tmp_path, "identity")

    assert training.run("text_to_image").start is None
    assert training.run("identity", upon=("text_to_image",)).start is None
    assert training.run("control").as_shipped
