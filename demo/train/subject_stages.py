"""The stages of the plain adapter: its image encoder, and itself, upon a UNet that is finished."""

from __future__ import annotations

import logging

import torch
from torch import nn

from .export import write_image_encoder, write_safetensors
from .shipped import IMAGE_ENCODER, PARTS
from .subject import train_subject
from .subject_encoder import CONFIG, subject_rank_one, train_subject_encoder
from .training import Training

log = logging.getLogger(__name__)


def image_encoder(t: Training) -> nn.Module:
    """Pictures to image embeddings."""
    torch.manual_seed(8)
    return train_subject_encoder(t.form.scenes, t.work, t.run("subject_encoder"))


def subject_encoder_stage(t: Training) -> None:
    """Write the image encoder with its configuration, and say how well it tells unseen subjects apart."""
    encoder = image_encoder(t)
    subjects = min(200, t.form.scenes)
    first, by_kind = subject_rank_one(encoder, subjects)
    log.info("subject_encoder: rank-1 of %d %.3f (people, balls, plants: %.3f %.3f %.3f)", subjects, first, *by_kind)
    write_image_encoder(t.out / IMAGE_ENCODER, encoder, CONFIG)


def subject_stage(t: Training) -> None:
    """Write the plain adapter of the final UNet, which stays as it is."""
    parts = t.corpus, t.latents, t.world.world, image_encoder(t)
    torch.manual_seed(9)
    adapter = train_subject(*parts, t.run("subject", upon=("subject_encoder",)))
    write_safetensors(t.out / PARTS["subject"][""], adapter.state_dict())
