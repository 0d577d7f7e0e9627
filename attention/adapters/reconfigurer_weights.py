"""Files of DynamicID's reconfigurer and its key point encoder, known by their keys and held to their shapes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from .key_points import RESIDUALS, KeyPointEncoder
from .parts import AGAIN, EMA_COPY, AdapterFormatError, fault_of, first_of
from .reconfigurer import Reconfigurer, ReconfigurerShape
from .resampler import HEAD

LAST = len(RESIDUALS) + 1  # number of the encoder's last block


def read_reconfigurer(state: Mapping[str, Any], points: int) -> tuple[ReconfigurerShape, dict[str, Tensor]]:
    """The shape of a reconfigurer, and its tensors by name.

    points : numbers of the key point encoder that belongs to it
    Raises AdapterFormatError with a sentence that says what the file looks like and what was expected.
    """
    what = "a reconfigurer"
    if not any(str(key).startswith("disentangleNet.") for key in state):
        raise AdapterFormatError(_other(state, what, "IMR.bin of DynamicID"))
    token, width = _shape(state, "proj_out.weight", what)
    (motion,) = _shape(state, "feature_fusion.0.weight", what, 1)
    wide = _shape(state, "feature_fusion.4.weight", what)[0]
    inner = _shape(state, "disentangleNet.0.0.to_q.weight", what)[0]
    hidden = _shape(state, "disentangleNet.0.2.1.weight", what)[0]
    if motion <= points or wide % width or inner % HEAD:
        raise AdapterFormatError(
            f"its shapes contradict each other: it reads motions of {motion} numbers, of which {points} are those of "
            f"the key points, makes {wide} of them for tokens of {width}, and its heads of {HEAD} share "
            f"{inner}. {AGAIN}"
        )
    depths = (_depth(state, "disentangleNet"), _depth(state, "entangleNet"))
    shape = ReconfigurerShape(token, points, motion - points, width, inner // HEAD, hidden, wide // width, *depths)
    with torch.device("meta"):
        expected = Reconfigurer(shape)
    return shape, _checked(state, expected, what)


def read_key_points(state: Mapping[str, Any]) -> tuple[tuple[int, ...], dict[str, Tensor]]:
    """The channels of a key point encoder, and its tensors by name. Raises AdapterFormatError as above."""
    what = "a key point encoder"
    if not any(str(key).startswith("blocks.0.0.conv_block.") for key in state):
        raise AdapterFormatError(_other(state, what, "key_point_encoder.bin of DynamicID"))
    firsts = [f"blocks.{block}.0.conv_block.0.weight" for block in range(LAST + 1)]
    names = [*firsts, f"blocks.{LAST}.1.conv_block.0.weight"]
    widths = tuple(_shape(state, name, what, 4)[0] for name in names)
    with torch.device("meta"):
        expected = KeyPointEncoder(widths)
    return widths, _checked(state, expected, what)


def _shape(state: Mapping[str, Any], key: str, what: str, dimensions: int = 2) -> tuple[int, ...]:
    tensor = state.get(key)
    if not isinstance(tensor, Tensor) or tensor.ndim != dimensions or 0 in tensor.shape:
        found = "is missing" if tensor is None else f"has the shape {list(getattr(tensor, 'shape', ()))}"
        raise AdapterFormatError(f"it looks like {what}, but its {key} {found}. {AGAIN}")
    return tuple(tensor.shape)


def _depth(state: Mapping[str, Any], net: str) -> int:
    return len({str(key).split(".")[1] for key in state if str(key).startswith(f"{net}.")})


def _checked(state: Mapping[str, Any], expected: nn.Module, what: str) -> dict[str, Tensor]:
    """The tensors that the module has, each of its shape and sound; more than those is not allowed."""
    shapes = {key: tuple(value.shape) for key, value in expected.state_dict().items()}
    missing = [key for key in shapes if not isinstance(state.get(key), Tensor)]
    if missing:
        raise AdapterFormatError(f"it looks like {what}, but it lacks {first_of(missing)}. {AGAIN}")
    strange = [key for key in state if key not in shapes and not EMA_COPY.search(str(key))]
    if strange:
        raise AdapterFormatError(
            f"it looks like {what}, but it also holds {first_of(strange)}, which no such file has; it is of another "
            "kind, and this version does not read it."
        )
    for key, shape in shapes.items():
        if tuple(state[key].shape) != shape:
            raise AdapterFormatError(
                f"its shapes contradict each other: {key} is {list(state[key].shape)}, and {what} of these sizes has "
                f"{list(shape)}. {AGAIN}"
            )
    used = {key: state[key] for key in shapes}
    numbers = {key: tensor for key, tensor in used.items() if not key.endswith("num_batches_tracked")}
    whole = [key for key, tensor in numbers.items() if not tensor.is_floating_point()]
    if whole:
        raise AdapterFormatError(
            f"its {first_of(whole, 1)} holds whole numbers (quantised). Choose float16 or float32."
        )
    fault = fault_of(numbers)
    if fault:
        raise AdapterFormatError(fault)
    return used


def _other(state: Mapping[str, Any], what: str, example: str) -> str:
    found = f"its first names are {first_of(state)}" if state else "it is empty"
    return f"it is not {what} ({found}). Choose one, for instance {example}."
