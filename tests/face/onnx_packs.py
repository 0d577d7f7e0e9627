"""Small real ONNX files in the formats of face packs, for tests: what they answer is known or seeded."""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

TEMPLATE = np.array([[-0.35, -0.2], [0.35, -0.2], [0.0, 0.05], [-0.25, 0.4], [0.25, 0.4]])  # in half widths of a face


def write(path: Path, nodes, inputs: dict, outputs: dict, weights: dict | None = None) -> Path:
    """Save a graph that onnxruntime's older releases read, too."""
    value = lambda item: helper.make_tensor_value_info(item[0], TensorProto.FLOAT, item[1])  # noqa: E731
    graph = helper.make_graph(
        nodes,
        "graph",
        [value(item) for item in inputs.items()],
        [value(item) for item in outputs.items()],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in (weights or {}).items()],
    )
    model = helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)])
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(path))
    return path


def write_constant_detector(path: Path, outputs: list[np.ndarray], size=(256, 256)) -> Path:
    """A detector that gives these outputs, in this order, whatever the picture; size is width, height or None, None."""
    arrays = {f"out{index}": np.asarray(array, np.float32) for index, array in enumerate(outputs)}
    nodes = [helper.make_node("Constant", [], [name], value=numpy_helper.from_array(a)) for name, a in arrays.items()]
    shape = [1, 3, size[1] or "height", size[0] or "width"]
    return write(path, nodes, {"input.1": shape}, {name: array.shape for name, array in arrays.items()})


def empty_outputs(size=(256, 256), keypoints=True) -> list[np.ndarray]:
    """SCRFD outputs without a face: scores, boxes and key points at strides 8, 16, 32 with two anchors."""
    cells = [2 * (size[0] // stride) * (size[1] // stride) for stride in (8, 16, 32)]
    return [np.zeros((n, columns), np.float32) for columns in ((1, 4, 10) if keypoints else (1, 4)) for n in cells]


def write_random_detector(path: Path, size=(None, None), keypoints=True, seed=0) -> Path:
    """A detector of random convolutions: many boxes that depend on the picture. Strides 8, 16, 32, two anchors."""
    draw, nodes, weights = np.random.default_rng(seed), [], {}
    shapes = {}
    for columns, kind, gain in ((1, "score", 1.6), (4, "box", 4.0), (10, "points", 2.0))[: 3 if keypoints else 2]:
        for stride in (8, 16, 32):
            name = f"{kind}{stride}"
            weights[f"{name}.weight"] = draw.normal(0, gain / stride, (2 * columns, 3, stride, stride)).astype(
                np.float32
            )
            weights[f"{name}.bias"] = np.full(2 * columns, {"score": -3.5, "box": 2.0, "points": 0.0}[kind], np.float32)
            nodes += [
                helper.make_node(
                    "Conv",
                    ["input.1", f"{name}.weight", f"{name}.bias"],
                    [f"{name}.map"],
                    kernel_shape=[stride, stride],
                    strides=[stride, stride],
                ),
                helper.make_node("Transpose", [f"{name}.map"], [f"{name}.last"], perm=[0, 2, 3, 1]),
                helper.make_node("Reshape", [f"{name}.last", f"rows{columns}"], [f"{name}.raw"]),
                helper.make_node({"score": "Sigmoid", "box": "Abs"}.get(kind, "Identity"), [f"{name}.raw"], [name]),
            ]
            weights[f"rows{columns}"] = np.array([-1, columns], np.int64)
            shapes[name] = [None, columns]
    return write(path, nodes, {"input.1": [1, 3, size[1] or "height", size[0] or "width"]}, shapes, weights)


def write_square_detector(path: Path, size: int | None = 256, lenient: bool = False) -> Path:
    """A detector that takes bright red squares of 32 of its input's pixels for faces, at stride 8.

    lenient : squares of 28 pixels as well, which is what a check of their turn shows it
    """
    nodes = [helper.make_node("Conv", ["input.1", "red"], ["redness"], kernel_shape=[1, 1])]
    weights = {
        "red": np.array([0.5, -0.5, -0.5], np.float32).reshape(1, 3, 1, 1),
        "rows": np.array([-1, 1], np.int64),
        "none4": np.zeros((1, 4), np.float32),
        "none10": np.zeros((1, 10), np.float32),
    }
    for stride in (8, 16, 32):
        gain, bias = (40.0, -39.0 if lenient else -42.0) if stride == 8 else (0.0, -20.0)
        half = 16 / stride
        weights |= {
            f"gain{stride}": np.full((2, 1, 1, 1), gain, np.float32),
            f"bias{stride}": np.full(2, bias, np.float32),
            f"sides{stride}": np.full((1, 4), half, np.float32),
            f"template{stride}": (TEMPLATE * half).reshape(1, 10).astype(np.float32),
        }
        end = max(0, 16 - stride)
        nodes += [
            helper.make_node(
                "AveragePool",
                ["redness"],
                [f"mean{stride}"],
                kernel_shape=[32, 32],
                strides=[stride, stride],
                pads=[16, 16, end, end],
                count_include_pad=1,
            ),
            helper.make_node(
                "Conv", [f"mean{stride}", f"gain{stride}", f"bias{stride}"], [f"pair{stride}"], kernel_shape=[1, 1]
            ),
            helper.make_node("Transpose", [f"pair{stride}"], [f"last{stride}"], perm=[0, 2, 3, 1]),
            helper.make_node("Reshape", [f"last{stride}", "rows"], [f"logit{stride}"]),
            helper.make_node("Sigmoid", [f"logit{stride}"], [f"score{stride}"]),
        ]
        for kind, columns, constant in (("box", 4, f"sides{stride}"), ("points", 10, f"template{stride}")):
            nodes += [
                helper.make_node("MatMul", [f"score{stride}", f"none{columns}"], [f"{kind}{stride}.rows"]),
                helper.make_node("Add", [f"{kind}{stride}.rows", constant], [f"{kind}{stride}"]),
            ]
    kinds = (("score", 1), ("box", 4), ("points", 10))
    shapes = {f"{kind}{stride}": [None, columns] for kind, columns in kinds for stride in (8, 16, 32)}
    return write(path, nodes, {"input.1": [1, 3, size or "height", size or "width"]}, shapes, weights)


def write_recogniser(path: Path, seed=0, batch: int | str = "batch", normalises=False) -> Path:
    """A recogniser of random weights: float32 [batch, 3, 112, 112] -> [batch, 512]."""
    draw = np.random.default_rng(seed)
    conv = draw.normal(0, 0.2, (16, 3, 16, 16)).astype(np.float32)
    weights = {
        "conv": conv - conv.mean((2, 3), keepdims=True),  # sees patterns, not plain colour, which all squares share
        "dense": draw.normal(0, 0.1, (784, 512)).astype(np.float32),
    }
    nodes, source = [], "data"
    if normalises:
        weights |= {"mean": np.float32(127.5), "scale": np.float32(1 / 127.5)}
        nodes = [
            helper.make_node("Sub", ["data", "mean"], ["centred"], name="_minusscalar0"),
            helper.make_node("Mul", ["centred", "scale"], ["scaled"], name="_mulscalar0"),
        ]
        source = "scaled"
    nodes += [
        helper.make_node("Conv", [source, "conv"], ["map"], kernel_shape=[16, 16], strides=[16, 16], name="Conv_0"),
        helper.make_node("Tanh", ["map"], ["bent"], name="Tanh_1"),
        helper.make_node("Flatten", ["bent"], ["flat"], name="Flatten_2"),
        helper.make_node("MatMul", ["flat", "dense"], ["embedding"], name="MatMul_3"),
    ]
    return write(path, nodes, {"data": [batch, 3, 112, 112]}, {"embedding": [batch, 512]}, weights)


def with_half_input(path: Path) -> Path:
    """The same graph, taking its input in half precision (fp16)."""
    model = onnx.load(str(path))
    (source,) = model.graph.input
    model.graph.node.insert(0, helper.make_node("Cast", ["half"], [source.name], to=TensorProto.FLOAT))
    source.name = "half"
    source.type.tensor_type.elem_type = TensorProto.FLOAT16
    onnx.checker.check_model(model)
    onnx.save(model, str(path))
    return path


def write_landmarks(path: Path, size=192) -> Path:
    """What a pack carries besides: a graph of another input size with one output."""
    weights = {"shape": np.array([1, -1], np.int64)}
    nodes = [helper.make_node("Reshape", ["data", "shape"], ["points"])]
    return write(path, nodes, {"data": [1, 3, size, size]}, {"points": [1, 3 * size * size]}, weights)


def write_106_points(path: Path, seed=0, normalises=False) -> Path:
    """A landmark model of random weights: float32 [1, 3, 192, 192] -> [1, 212] in -1..1."""
    weights = {"dense": np.random.default_rng(seed).normal(0, 0.01, (768, 212)).astype(np.float32)}
    nodes, source = [], "data"
    if normalises:
        weights |= {"mean": np.float32(127.5), "scale": np.float32(1 / 128)}
        nodes = [
            helper.make_node("Sub", ["data", "mean"], ["centred"], name="_minusscalar0"),
            helper.make_node("Mul", ["centred", "scale"], ["scaled"], name="_mulscalar0"),
        ]
        source = "scaled"
    nodes += [
        helper.make_node("AveragePool", [source], ["means"], kernel_shape=[12, 12], strides=[12, 12], name="Pool_0"),
        helper.make_node("Flatten", ["means"], ["flat"], name="Flatten_1"),
        helper.make_node("MatMul", ["flat", "dense"], ["sums"], name="MatMul_2"),
        helper.make_node("Tanh", ["sums"], ["fc1"], name="Tanh_3"),
    ]
    return write(path, nodes, {"data": [1, 3, 192, 192]}, {"fc1": [1, 212]}, weights)


def red_squares(height: int, width: int, *squares: tuple[int, int, int], seed: int = 0) -> np.ndarray:
    """A picture, uint8 [height, width, 3], black with red squares at (x, y, side), each with a pattern of its own."""
    picture = np.zeros((height, width, 3), np.uint8)
    for index, (x, y, side) in enumerate(squares):
        pattern = np.random.default_rng(seed + index).integers(0, 2, (4, 4, 3)) * np.array([10, 50, 50]) + [245, 0, 0]
        picture[y : y + side, x : x + side] = np.kron(pattern, np.ones((-(-side // 4),) * 2 + (1,)))[:side, :side]
    return picture
