"""The one training loop: warm-up, cosine tail, averaged weights, checkpoints that a killed run resumes from."""

import logging
import math
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

log = logging.getLogger(__name__)
SAVE_EVERY = 90  # seconds


def step_generator(name: str, step: int) -> torch.Generator:
    """The random numbers of one step of one stage: the same ones whether or not the run was interrupted before it."""
    return torch.Generator().manual_seed(sum(ord(c) * 131**i for i, c in enumerate(name)) % 2**31 + step * 7919)


def optimise(
    name: str,
    module: nn.Module,
    loss_at: Callable[[int, torch.Generator], Tensor],
    steps: int,
    rate: float,
    folder: Path,
    decay: float = 0.999,
) -> nn.Module:
    """Train the parameters of `module` that want gradients; returns it in evaluation mode with its averaged weights.

    loss_at : (step, generator) -> scalar loss
    steps   : how many in all; a checkpoint that has seen fewer is trained for the rest of them
    rate    : learning rate at its highest
    folder  : where NAME.pt, the checkpoint, lies
    decay   : of the averaged weights, from one step to the next
    """
    path = folder / f"{name}.pt"
    parameters = {key: p for key, p in module.named_parameters() if p.requires_grad}
    optimiser = torch.optim.AdamW(parameters.values(), rate, betas=(0.9, 0.99), weight_decay=0.01)
    average = {key: value.detach().clone() for key, value in module.state_dict().items()}
    start = 0
    if path.exists():
        state = torch.load(path, weights_only=True)
        module.load_state_dict(state["module"])
        optimiser.load_state_dict(state["optimiser"])
        average, start = state["average"], state["step"]
    module.train()
    running, began, saved = None, time.time(), time.time()
    for step in range(start, steps):
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / 100) * _tail(step / steps)
        loss = loss_at(step, step_generator(name, step))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters.values(), 1.0)
        optimiser.step()
        _update_average(average, module, min(decay, (step + 1) / (step + 10)))
        running = loss.item() if running is None else running * 0.98 + loss.item() * 0.02
        if time.time() - saved > SAVE_EVERY or step + 1 == steps:
            pace = (step + 1 - start) / (time.time() - began)
            log.info("%s %d/%d loss %.4f (%.2f steps/s)", name, step + 1, steps, running, pace)
            parts = {"module": module.state_dict(), "optimiser": optimiser.state_dict(), "average": average}
            _save(path, {**parts, "step": step + 1})
            saved = time.time()
    module.load_state_dict(average)
    return module.eval()


def _tail(done: float) -> float:
    """Full rate for the first 60 %, then a cosine down to 3 %."""
    return 1.0 if done < 0.6 else 0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * (done - 0.6) / 0.4))


@torch.no_grad()
def _update_average(average: dict[str, Tensor], module: nn.Module, decay: float) -> None:
    for key, value in module.state_dict().items():
        if value.is_floating_point():
            average[key].lerp_(value, 1 - decay)
        else:
            average[key].copy_(value)


def _save(path: Path, state: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, path.with_suffix(".part"))
    path.with_suffix(".part").replace(path)
