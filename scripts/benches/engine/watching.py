"""Watch what a model call does inside its cross-attention layers, operation by operation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

OUTSIDE = -1  # the place of everything that is not in a layer

# Names as the dispatcher has them: of a fused kernel, or of a softmax that somebody took by hand.
ATTENTION = ("scaled_dot_product", "flash_attention", "efficient_attention", "softmax")
# What hands a value, or a size that depends on values, to Python: an accelerator is waited for.
WAITING = {"item", "_local_scalar_dense", "is_nonzero", "equal", "allclose", "nonzero", "nonzero_numpy", "argwhere"}
WAITING |= {"masked_select", "unique_dim", "_unique2", "unique_consecutive", "bincount", "repeat_interleave"}
# Copies between devices, and data of Python's that a layer makes a tensor of: on an accelerator that is such a copy.
COPYING = {"to", "_to_copy", "copy", "copy_"}
FROM_PYTHON = {"lift_fresh", "lift_fresh_copy"}
INDEXING = {"index", "index_put", "index_put_", "_index_put_impl_"}


class Watch(TorchDispatchMode):
    """Counts by layer: attention calls, passes over scores for their mass alone, and waits for the device.

    On a CPU nothing is waited for; what would have to be on an accelerator is counted all the same, except copies
    between devices, which do not happen there.
    """

    def __init__(self) -> None:
        super().__init__()
        self.place = OUTSIDE
        self.attention: Counter[int] = Counter()
        self.masses: Counter[int] = Counter()
        self.waits: Counter[int] = Counter()

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        if any(part in name for part in ATTENTION):
            self.attention[self.place] += 1
        if "logsumexp" in name:
            self.masses[self.place] += 1
        if _waits(name, func, args, kwargs or {}, out):
            self.waits[self.place] += 1
        return out


def _waits(name: str, func: Any, args: tuple, kwargs: dict, out: Any) -> bool:
    if name == "repeat_interleave":
        return isinstance(args[-1], Tensor) and kwargs.get("output_size") is None
    if name in WAITING or name in FROM_PYTHON:
        return True
    if name in INDEXING:  # by a mask: how many there are is known when the mask is
        return any(
            isinstance(leaf, Tensor) and leaf.dtype in (torch.bool, torch.uint8) for leaf in tree_leaves(args[1])
        )
    if name in COPYING:
        devices = {leaf.device for leaf in tree_leaves((args, kwargs, out)) if isinstance(leaf, Tensor)}
        return len(devices) > 1
    return False


@contextmanager
def watching(model: Any) -> Iterator[Watch]:
    """Watch the calls of a model until the block ends.

    A layer begins when its query, key and value are made and ends where its output is projected: what stands between
    is the attention itself, whoever computes it.
    """
    watch, hooks = Watch(), []

    def enter(number: int):
        return lambda *_: setattr(watch, "place", number)

    for number, layer in enumerate(cross_attentions(model)):
        hooks.append(layer.to_v.register_forward_hook(enter(number)))
        hooks.append(layer.to_out.register_forward_pre_hook(enter(OUTSIDE)))
    try:
        with watch:
            yield watch
    finally:
        for hook in hooks:
            hook.remove()


def cross_attentions(model: Any) -> list[nn.Module]:
    """The modules that attend to the text, from the first to the last that a call reaches."""
    unet = model.model.diffusion_model
    parts = [*unet.input_blocks, unet.middle_block, *unet.output_blocks]
    return [module.attn2 for part in parts for module in part.modules() if getattr(module, "attn2", None) is not None]


@contextmanager
def counting_calls(module: nn.Module) -> Iterator[Counter]:
    """Counts the calls of every submodule that has weights, by its name."""
    calls: Counter[str] = Counter()

    def called(name: str):
        return lambda *_: calls.update([name])

    weighty = [(name, part) for name, part in module.named_modules() if list(part.parameters(recurse=False))]
    hooks = [part.register_forward_hook(called(name)) for name, part in weighty]
    try:
        yield calls
    finally:
        for hook in hooks:
            hook.remove()
