"""Reads the outline of an ONNX file - inputs, outputs, first nodes - without loading its weights or the onnx package.

onnxruntime tells shapes only after it has built a session, which takes seconds and hundreds of megabytes for files of a
pack that are never used, and does not tell node names at all. An ONNX file is one protobuf message whose large parts
carry their length, so they can be skipped. Field numbers: onnx.proto3 of the ONNX project, stable since IR version 1.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

Shape = tuple["int | None", ...]  # None where a dimension is left open

MODEL_GRAPH = 7
GRAPH_NODE, GRAPH_INITIALIZER, GRAPH_INPUT, GRAPH_OUTPUT = 1, 5, 11, 12
NODE_NAME = 3
TENSOR_NAME = 8
VALUE_NAME, VALUE_TYPE = 1, 2
TYPE_TENSOR = 1
TENSOR_SHAPE = 2
SHAPE_DIMENSION = 1
DIMENSION_VALUE = 1

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True)
class GraphOutline:
    """Inputs (without stored weights) and outputs in file order, name to shape; names of the first eight nodes."""

    inputs: dict[str, Shape]
    outputs: dict[str, Shape]
    first_nodes: tuple[str, ...]


def read_outline(path: Path) -> GraphOutline:
    """The outline of an ONNX file. Raises ValueError, naming the file, when it is not one or is cut short."""
    try:
        with open(path, "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _outline(data)
    except (ValueError, IndexError, UnicodeDecodeError) as error:
        raise ValueError(
            f"{path} is not a complete ONNX model ({error}). The download may have been cut short: fetch it again."
        ) from error


def _outline(data: mmap.mmap) -> GraphOutline:
    graph = _first(data, (0, len(data)), MODEL_GRAPH)
    if graph is None:
        raise ValueError("it holds no graph")
    parts: dict[int, list[tuple[int, int]]] = {GRAPH_NODE: [], GRAPH_INITIALIZER: [], GRAPH_INPUT: [], GRAPH_OUTPUT: []}
    for number, value in _fields(data, graph):
        if number in parts:
            parts[number].append(value)
    # Before IR version 4 the weights were listed among the inputs.
    weights = {_text(data, part, TENSOR_NAME) for part in parts[GRAPH_INITIALIZER]}
    inputs = dict(_value(data, part) for part in parts[GRAPH_INPUT])
    return GraphOutline(
        inputs={name: shape for name, shape in inputs.items() if name not in weights},
        outputs=dict(_value(data, part) for part in parts[GRAPH_OUTPUT]),
        first_nodes=tuple(_text(data, part, NODE_NAME) for part in islice(parts[GRAPH_NODE], 8)),
    )


def _value(data: mmap.mmap, part: tuple[int, int]) -> tuple[str, Shape]:
    """Name and shape of an input or output; the shape is empty where the file does not state one."""
    shape: tuple[int, int] | None = part
    for number in (VALUE_TYPE, TYPE_TENSOR, TENSOR_SHAPE):
        shape = _first(data, shape, number) if shape else None
    dimensions = [value for number, value in _fields(data, shape) if number == SHAPE_DIMENSION] if shape else []
    return _text(data, part, VALUE_NAME), tuple(_dimension(data, part) for part in dimensions)


def _dimension(data: mmap.mmap, part: tuple[int, int]) -> int | None:
    value = next((value for number, value in _fields(data, part) if number == DIMENSION_VALUE), None)
    return value if isinstance(value, int) and value > 0 else None


def _text(data: mmap.mmap, part: tuple[int, int], number: int) -> str:
    span = _first(data, part, number)
    return data[span[0] : span[1]].decode("utf-8") if span else ""


def _first(data: mmap.mmap, part: tuple[int, int], number: int) -> tuple[int, int] | None:
    return next((value for found, value in _fields(data, part) if found == number and isinstance(value, tuple)), None)


def _fields(data: mmap.mmap, part: tuple[int, int]) -> Iterator[tuple[int, int | tuple[int, int]]]:
    """Fields of one message: number and value, a plain number or the (start, end) of the bytes it spans."""
    position, end = part
    while position < end:
        tag, position = _varint(data, position)
        kind = tag & 7
        if kind == VARINT:
            value, position = _varint(data, position)
            yield tag >> 3, value
            continue
        if kind == BYTES:
            length, position = _varint(data, position)
        elif kind in (FIXED32, FIXED64):
            length = 4 if kind == FIXED32 else 8
        else:
            raise ValueError(f"unknown field kind {kind} at byte {position}")
        if position + length > end:
            raise ValueError(f"a field ends at byte {position + length}, beyond byte {end}")
        yield tag >> 3, (position, position + length)
        position += length


def _varint(data: mmap.mmap, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, position
        shift += 7
        if shift > 63:
            raise ValueError(f"a number at byte {position} is too long")
