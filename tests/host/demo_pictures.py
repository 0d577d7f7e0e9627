"""Pictures of the offline world through the host's stock nodes, in this process."""

from __future__ import annotations

import torch
from pack.demo.people_by_name import photo_of

NEUTRAL = ""
TWO_AT_THE_BEACH = "two people at the beach, red smiling left, blue sad right"


@torch.inference_mode()
def conditioning(core_nodes, clip, text: str) -> list:
    """CLIP Text Encode."""
    return core_nodes["CLIPTextEncode"]().encode(clip, text)[0]


@torch.inference_mode()
def sampled(core_nodes, world, text=TWO_AT_THE_BEACH, steps=2, cfg=3.0, size=(128, 128), batch=1, control=None) -> dict:
    """LATENT from Empty Latent Image and KSampler (euler, seed 3).

    world   : MODEL, CLIP, VAE and CONTROL_NET
    control : (hint IMAGE, strength) for Apply ControlNet, or None
    """
    model, clip, _, control_net = world
    positive, negative = (conditioning(core_nodes, clip, prompt) for prompt in (text, NEUTRAL))
    if control:
        apply = core_nodes["ControlNetApplyAdvanced"]().apply_controlnet
        positive, negative = apply(positive, negative, control_net, *control, 0.0, 1.0)
    (latent,) = core_nodes["EmptyLatentImage"]().generate(*size, batch)
    run = core_nodes["KSampler"]().sample
    return run(model, 3, steps, cfg, "euler", "simple", positive, negative, latent)[0]


@torch.inference_mode()
def decoded(core_nodes, world, latent: dict) -> torch.Tensor:
    """VAE Decode: IMAGE [B, H, W, 3]."""
    return core_nodes["VAEDecode"]().decode(world[2], latent)[0]


@torch.inference_mode()
def encoded(core_nodes, world, image: torch.Tensor) -> dict:
    """VAE Encode: LATENT."""
    return core_nodes["VAEEncode"]().encode(world[2], image)[0]


@torch.inference_mode()
def drawn_with_photos(core_nodes, world, names, text=TWO_AT_THE_BEACH) -> torch.Tensor:
    """Two steps of KSampler with photos of people by name, given by the stock ReferenceLatent: IMAGE."""
    from comfy_extras.nodes_edit_model import ReferenceLatent

    conditions = [conditioning(core_nodes, world[1], prompt) for prompt in (text, NEUTRAL)]
    for name in names:
        latent = encoded(core_nodes, world, photo_of(name, 64)[None])
        conditions = [ReferenceLatent.execute(one, latent)[0] for one in conditions]
    (latent,) = core_nodes["EmptyLatentImage"]().generate(128, 128, 1)
    (latent,) = core_nodes["KSampler"]().sample(world[0], 3, 2, 3.0, "euler", "simple", *conditions, latent)
    return decoded(core_nodes, world, latent)


def state_of(value) -> dict[str, torch.Tensor]:
    """The weights behind a MODEL, CLIP, VAE or CONTROL_NET."""
    for name in ("model", "cond_stage_model", "first_stage_model", "control_model"):
        if hasattr(value, name):
            return getattr(value, name).state_dict()
    raise TypeError(f"{type(value).__name__} is no model of the demo world")
