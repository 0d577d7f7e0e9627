"""Count what InstantID people take of a sampling step: all of them in one cast, and one by one as stock nodes do it.

Everything is real but the weights: the host's sampler, ControlNet and nodes, and the pack's own. The networks have the
layers of SDXL, a tenth as wide: how often they are called does not depend on that.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from .adapter_files import layers, plus, random_state
from .rigs import Rig
from .structures import random_conditioning, side_by_side

STEPS = 3
CFG = 4.0
FACE = 512  # numbers in an embedding
NO_CONTROL = ("out_channels", "transformer_depth_output", "use_checkpoint")  # of a UNet's configuration


@dataclass(frozen=True)
class StepCalls:
    """Calls of every step, and the rows of each of them.

    unet, control : [steps] of [calls] rows
    """

    unet: list[list[int]]
    control: list[list[int]]


def in_one_cast(rig: Rig, people: int) -> StepCalls:
    """Apply Cast and Apply IdentityNet with a cast of so many people side by side."""
    from ....attention.recipes.recipe_book import recipe_named
    from ....nodes.control.identity_net_nodes import ApplyIdentityNet
    from ....nodes.host.cast.model_patch import patch_cast

    cast, control, adapter = side_by_side(people), random_control(rig.shape.structure.unet), random_instantid(rig)
    model = patch_cast(rig.model, cast, adapter, recipe_named("decoupled"), 1.0)
    prompts = ApplyIdentityNet.execute(*_prompts(rig), control, _hint(rig), cast, 0.8, 0.0, 1.0, adapter).args
    return _counted(rig, model, control, prompts)


def one_by_one(rig: Rig, people: int) -> StepCalls:
    """A ControlNet and a masked prompt for each person with the host's own nodes, as the peers' workflows have it."""
    import nodes

    control, hint, side = random_control(rig.shape.structure.unet), _hint(rig), rig.shape.size
    combined: tuple[list, list] = ([], [])
    for place in range(people):
        mask = torch.zeros(side, side)
        mask[:, side * place // people : side * (place + 1) // people] = 1
        applied = nodes.ControlNetApplyAdvanced().apply_controlnet(*_prompts(rig), control, hint, 0.8, 0.0, 1.0)
        for all_of_them, prompt in zip(combined, applied, strict=True):
            all_of_them += nodes.ConditioningSetMask().append(prompt, mask, "default", 1.0)[0]
    return _counted(rig, rig.model, control, combined)


def random_control(unet: Mapping[str, Any], **sizes: Any) -> Any:
    """A ControlNet for a UNet of that configuration, of random weights, as the host loads one."""
    import comfy.controlnet
    import comfy.model_management
    import comfy.ops
    from comfy.cldm.cldm import ControlNet

    options = {key: value for key, value in unet.items() if key not in NO_CONTROL}
    model = ControlNet(
        hint_channels=3, dtype=torch.float32, device="cpu", operations=comfy.ops.manual_cast, **options, **sizes
    )
    generator = torch.Generator().manual_seed(4)
    with torch.no_grad():
        for name, weights in model.named_parameters():
            if weights.ndim > 1:
                weights.copy_(torch.randn(weights.shape, generator=generator) / weights[0].numel() ** 0.5)
            else:
                weights.fill_(1.0 if name.endswith("weight") else 0.0)
    return comfy.controlnet.ControlNet(model.eval(), load_device=comfy.model_management.get_torch_device())


def random_instantid(rig: Rig) -> Any:
    """An adapter that fits the model, loaded from a file with the keys of InstantID's."""
    from safetensors.torch import save_file

    from ....nodes.host.adapters.adapter_model import load_adapter
    from ....nodes.host.adapters.loaded_adapter import AdapterSettings
    from ....nodes.host.model.blocks import cross_attention_blocks

    cross = rig.shape.structure.context
    shapes = {f"image_proj.{key}": shape for key, shape in plus(64, FACE, cross, 1).items()}
    widths = [block.width for block in cross_attention_blocks(rig.model)]
    shapes |= {f"ip_adapter.{key}": shape for key, shape in layers(cross, widths).items()}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "random-instantid.safetensors"
        save_file(random_state(shapes), path)
        return load_adapter(path, path.name, AdapterSettings(format="instantid", recogniser="any"))


def _prompts(rig: Rig) -> tuple[list, list]:
    return random_conditioning(rig.shape.structure, 1), random_conditioning(rig.shape.structure, 2)


def _hint(rig: Rig) -> torch.Tensor:
    return torch.rand(1, rig.shape.size, rig.shape.size, 3, generator=torch.Generator().manual_seed(6))


@torch.inference_mode()
def _counted(rig: Rig, model: Any, control: Any, prompts: tuple[list, list]) -> StepCalls:
    import comfy.samplers

    guider = comfy.samplers.CFGGuider(model)
    guider.set_conds(*prompts)
    guider.set_cfg(CFG)
    side = rig.shape.size // 8
    noise = torch.randn(1, 4, side, side, generator=torch.Generator().manual_seed(3))
    sigmas = comfy.samplers.calculate_sigmas(model.get_model_object("model_sampling"), "simple", STEPS)
    with _rows_of(rig.model.model.diffusion_model) as unet, _rows_of(control.control_model) as net:
        guider.sample(
            noise,
            torch.zeros_like(noise),
            comfy.samplers.sampler_object("euler"),
            sigmas,
            callback=_next_step(unet, net),
            disable_pbar=True,
            seed=3,
        )
    return StepCalls(unet[:STEPS], net[:STEPS])


def _next_step(*counted: list[list[int]]) -> Callable:
    """What the host calls after a step, with the step's own number and latents."""

    def begin(*_: Any) -> None:
        for steps in counted:
            steps.append([])

    return begin


@contextmanager
def _rows_of(network: nn.Module) -> Iterator[list[list[int]]]:
    """Rows of every call of a network, in a list that begins anew with each step."""
    steps: list[list[int]] = [[]]

    def called(_: nn.Module, positional: tuple, named: dict) -> None:
        steps[-1].append(len(positional[0] if positional else named["x"]))

    hook = network.register_forward_pre_hook(called, with_kwargs=True)
    try:
        yield steps
    finally:
        hook.remove()
