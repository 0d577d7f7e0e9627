"""What Refine Cast asks for."""

from __future__ import annotations

from comfy_api.latest import io

from ...attention.recipes.recipe_book import RECIPE_BOOK
from ..host.refine.redrawing import SAMPLERS, SCHEDULERS
from ..types import Adapter, Cast, FaceEngine

SMALLEST, LARGEST, STEP = 64, 4096, 8  # of a close-up's side, in pixels; latents have a cell for each 8


def sockets() -> list:
    return [
        io.Model.Input(
            "model", tooltip="The model that goes into Apply Cast, not the one that comes out of it. It is not changed."
        ),
        io.Vae.Input("vae", tooltip="The checkpoint's."),
        FaceEngine.Input("engine", tooltip="Finds the faces on the pictures and tells whose they are."),
        io.Image.Input("images", tooltip="Finished pictures of the cast; each is refined by itself."),
        Cast.Input(
            "cast",
            tooltip="Who is in the pictures, and where: nothing outside of a member's region is changed for them. A "
            "member's own prompt describes their close-up; it should speak of this person alone.",
        ),
        io.Conditioning.Input(
            "positive",
            tooltip="Describes the close-ups of members without a prompt of their own. ControlNets, areas and masks "
            "belong to the whole picture and are left off.",
        ),
        io.Conditioning.Input("negative", tooltip="What no close-up should show."),
        Adapter.Input("adapter", optional=True, tooltip="Used by members that bring none of their own."),
    ]


def likeness() -> list:
    return [
        io.Combo.Input(
            "recipe",
            options=list(RECIPE_BOOK),
            tooltip="How the member acts in their close-up, alone in it: as in Apply Cast.",
        ),
        io.Float.Input(
            "strength",
            default=0.8,
            min=0.0,
            max=3.0,
            step=0.05,
            tooltip="Multiplies every member's strength, as in Apply Cast. 0 leaves the pictures as they are.",
        ),
    ]


def sampling() -> list:
    return [
        io.Int.Input(
            "seed",
            default=0,
            min=0,
            max=2**64 - 1,
            control_after_generate=True,
            tooltip="Of the noise. Each region has its own, the same on every picture and whoever else is in the cast.",
        ),
        io.Int.Input("steps", default=20, min=1, max=10000, tooltip="Of each close-up."),
        io.Float.Input("cfg", default=7.0, min=0.0, max=100.0, step=0.1, round=0.01, tooltip="As in KSampler."),
        io.Combo.Input("sampler_name", options=SAMPLERS, tooltip="As in KSampler."),
        io.Combo.Input("scheduler", options=SCHEDULERS, tooltip="As in KSampler."),
        io.Float.Input(
            "denoise",
            default=0.7,
            min=0.01,
            max=1.0,
            step=0.01,
            tooltip="How much of each face is drawn anew. Less keeps more of the picture's light and pose, more brings "
            "more likeness.",
        ),
    ]


def close_ups() -> list:
    return [
        io.Int.Input(
            "size",
            default=512,
            min=SMALLEST,
            max=LARGEST,
            step=STEP,
            tooltip="Side of a close-up in pixels: what the model draws well, 512 for Stable Diffusion 1.5, 1024 for "
            "SDXL. A face whose square is as large already is left as it is.",
        ),
        io.Float.Input(
            "room",
            default=2.0,
            min=1.0,
            max=6.0,
            step=0.1,
            advanced=True,
            tooltip="Side of the square that is cut out, in parts of the face's box. 2 shows the whole head.",
        ),
        io.Float.Input(
            "feather",
            default=0.2,
            min=0.0,
            max=0.5,
            step=0.01,
            advanced=True,
            tooltip="Width of the soft rim where a close-up is pasted back, in parts of the square; it lies inside of "
            "the square and of the member's region.",
        ),
    ]


def latent_size(size: int) -> int:
    """The nearest side of a close-up that latents have, for prompts that come without the editor."""
    return max(SMALLEST, round(size / STEP) * STEP)
