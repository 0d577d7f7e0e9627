"""The one training loop: warm-up, cosine tail, averaged weights, checkpoints that a killed run resumes from."""

import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from .shipped import start_from

log = logging.getLogger(__name__)
SAVE_EVERY = 90  # seconds


def step_generator(name: str, step: int) -> torch.Generator:
    """The random numbers of one step of one stage: the same ones whether or not the run was interrupted before it."""
    return torch.Generator().manual_seed(sum(ord(c) * 131**i for i, c in enumerate(name)) % 2**31 + step * 7919)


@dataclass(frozen=True)
class Run:
    """How a stage is trained.

    name   : the stage's; it also decides its random numbers
    folder : where its checkpoint lies
    steps  : how many in all; a checkpoint that has seen fewer is trained for the rest of them
    start  : weights to start from where there is no checkpoint, None for fresh ones
    compiled : whether the model's call is compiled: minutes at first, then a quarter more steps (one CPU core)
    """

    name: str
    folder: Path
    steps: int
    start: dict[str, Tensor] | None = None
    compiled: bool = False

    def fast(self, call: Callable[..., Tensor], dynamic: bool = False) -> Callable[..., Tensor]:
        """`call`, compiled where this run compiles. Unless dynamic, its tensors have the same shapes in every step."""
        return torch.compile(call, dynamic=dynamic) if self.compiled else call

    @property
    def checkpoint(self) -> Path:
        """The file that an interrupted run goes on from."""
        return self.folder / f"{self.name}.pt"

    @property
    def as_shipped(self) -> bool:
        """Whether the part is taken as it is, without any training."""
        return self.steps == 0 and self.start is not None


def optimise(
    run: Run,
    module: nn.Module,
    loss_at: Callable[[int, torch.Generator], Tensor],
    rate: float,
    decay: float = 0.999,
    upon: float | None = None,
) -> nn.Module:
    """Train the parameters of `module` that want gradients; returns it in evaluation mode with its averaged weights.

    loss_at : (step, generator) -> scalar loss
    rate    : learning rate at its highest
    decay   : of the averaged weights, from one step to the next
    upon    : a number that changes with the frozen parts which the stage builds upon

    Raises RuntimeError where the checkpoint was trained upon others.
    """
    name, steps = run.name, run.steps
    parameters = {key: p for key, p in module.named_parameters() if p.requires_grad}
    optimiser = torch.optim.AdamW(parameters.values(), rate, betas=(0.9, 0.99), weight_decay=0.01, fused=True)
    begin = _begin(run, module, optimiser, upon)
    average, start = begin["average"], begin["step"]
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
            _save(run.checkpoint, {**parts, "step": step + 1, "upon": upon})
            saved = time.time()
    module.load_state_dict(average)
    return module.eval()


def _begin(run: Run, module: nn.Module, optimiser: torch.optim.Optimizer, upon: float | None) -> dict:
    """Load the checkpoint, the weights to start from, or nothing: the averaged weights, and the steps that are done."""
    if run.checkpoint.exists():
        state = torch.load(run.checkpoint, weights_only=True)
        if upon is not None and not math.isclose(upon, state["upon"], rel_tol=1e-9):
            raise RuntimeError(
                f"{run.checkpoint} builds upon weights that have changed since. Delete it to train {run.name} anew."
            )
        module.load_state_dict(state["module"])
        optimiser.load_state_dict(state["optimiser"])
        return {"average": state["average"], "step": state["step"]}
    if run.start is not None:
        log.info("%s %s the shipped weights", run.name, "is taken from" if run.as_shipped else "starts from")
        start_from(module, run.start)
    return {"average": {key: value.detach().clone() for key, value in module.state_dict().items()}, "step": 0}


def _tail(done: float) -> float:
    """Full rate for the first 60 %, then a cosine down to 3 %."""
    return 1.0 if done < 0.6 else 0.03 + 0.97 * 0.5 * (1 + math.cos(math.pi * (done - 0.6) / 0.4))


@torch.no_grad()
def _update_average(average: dict[str, Tensor], module: nn.Module, decay: float) -> None:
    state = module.state_dict()
    moving = [key for key, value in state.items() if value.is_floating_point()]
    torch._foreach_lerp_([average[key] for key in moving], [state[key] for key in moving], 1 - decay)
    for key in state.keys() - set(moving):
        average[key].copy_(state[key])


def _save(path: Path, state: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(state, path.with_suffix(".part"))
    path.with_suffix(".part").replace(path)
