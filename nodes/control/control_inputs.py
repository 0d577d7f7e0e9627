"""Inputs and outputs that the nodes share which apply a ControlNet to parts of the picture."""

from __future__ import annotations

from comfy_api.latest import io


def prompt_inputs() -> list[io.Conditioning.Input]:
    """The prompts that the ControlNet is put on."""
    return [io.Conditioning.Input(role, tooltip=f"The {role} prompt.") for role in ("positive", "negative")]


def prompt_outputs() -> list[io.Conditioning.Output]:
    """The prompts with the ControlNet."""
    return [io.Conditioning.Output(display_name=role) for role in ("positive", "negative")]


def schedule_inputs(strength: float) -> list[io.Float.Input]:
    """How strongly it acts, by default `strength`, and from when to when, as in Apply ControlNet."""
    begin, end = (
        io.Float.Input(
            f"{name}_percent",
            default=default,
            min=0.0,
            max=1.0,
            step=0.001,
            tooltip=f"Where in the schedule it {name}s.",
        )
        for name, default in (("start", 0.0), ("end", 1.0))
    )
    acting = io.Float.Input(
        "strength", default=strength, min=0.0, max=10.0, step=0.01, tooltip="As in Apply ControlNet."
    )
    return [acting, begin, end]


def feather_input() -> io.Float.Input:
    """How soft the regions' edges are."""
    return io.Float.Input(
        "feather",
        default=0.02,
        min=0.0,
        max=0.25,
        step=0.005,
        advanced=True,
        tooltip="Blur of the regions' edges, in parts of the picture's shorter side.",
    )
