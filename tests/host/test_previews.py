"""What a sampler shows of the demo world while it works, on a real server, and where its colours come from."""

import io

import numpy as np
import torch
from pack.demo.renderer import render
from pack.demo.scenes import random_scenes
from pack.nodes.host.demo_world import latent_colours, load_demo_world, weights_file
from pack.tests.host.followed import follow
from PIL import Image


def drawing(steps=8, seed=1):
    def text(words):
        return {"class_type": "CLIPTextEncode", "inputs": {"text": words, "clip": ["world", 1]}}

    sampler = {"seed": seed, "steps": steps, "cfg": 3.0, "sampler_name": "euler", "scheduler": "simple", "denoise": 1.0}
    links = {"model": ["world", 0], "positive": ["yes", 0], "negative": ["no", 0], "latent_image": ["empty", 0]}
    return {
        "world": {"class_type": "Troupe_LoadDemoWorld", "inputs": {}},
        "yes": text("two people at the beach"),
        "no": text(""),
        "empty": {"class_type": "EmptyLatentImage", "inputs": {"width": 128, "height": 128, "batch_size": 1}},
        "sample": {"class_type": "KSampler", "inputs": sampler | links},
        "decode": {"class_type": "VAEDecode", "inputs": {"samples": ["sample", 0], "vae": ["world", 2]}},
        "save": {"class_type": "SaveImage", "inputs": {"images": ["decode", 0], "filename_prefix": "previewed"}},
    }


def correlation(one, other):
    return np.corrcoef(np.asarray(one, float).ravel(), np.asarray(other, float).ravel())[0, 1]


def test_a_sampler_shows_pictures_that_become_the_final_one(server):
    seen = follow(server, drawing())
    entry = server.client.wait(server.client.submit(drawing()), 60)
    final = Image.open(io.BytesIO(server.images(entry, "save")[0])).convert("RGB")

    frames = seen.frames["sample"]
    assert len(frames) == 8
    likeness = [correlation(frame, final.resize(frame.shape[1::-1], Image.Resampling.BOX)) for frame in frames]
    assert likeness[-1] > 0.85
    assert likeness[-1] > likeness[0]


@torch.inference_mode()
def test_the_colours_of_latents_hold_for_pictures_they_were_not_fitted_to():
    _, _, vae, _ = world = load_demo_world()
    pictures = render(random_scenes(4, 3, torch.Generator().manual_seed(5)), 128).picture
    latents = vae.encode(pictures.movedim(1, -1))
    shown = torch.tensor(world[0].model.latent_format.latent_rgb_factors)
    bias = torch.tensor(world[0].model.latent_format.latent_rgb_factors_bias)
    cells = torch.nn.functional.adaptive_avg_pool2d(vae.decode(latents).movedim(-1, 1), latents.shape[-2:])

    assert correlation(latents.movedim(1, -1) @ shown + bias, cells.movedim(1, -1)) > 0.9


def test_the_colours_are_fitted_only_when_they_are_asked_for(monkeypatch):
    asked = []
    monkeypatch.setattr(
        "pack.nodes.host.demo_world.latent_colours", lambda *given: asked.append(given) or latent_colours(*given)
    )
    latents = load_demo_world()[0].model.latent_format
    assert asked == []

    assert (len(latents.latent_rgb_factors), len(latents.latent_rgb_factors_bias)) == (latents.latent_channels, 3)
    assert asked == [(weights_file("vae.safetensors"), latents.latent_channels)]
