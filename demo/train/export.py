"""Trained parts as the files the pack ships: safetensors and ONNX, weights in fp16."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from ..form import Form, world_facts
from .detector import SIDE, Detector

OPSET, IR_VERSION = 17, 8  # what onnxruntime reads everywhere


def write_safetensors(path: Path, state: dict[str, Tensor], texts: dict[str, str] | None = None) -> None:
    """Save a state dict with floating-point tensors in fp16, and texts in the file's header."""
    path.parent.mkdir(parents=True, exist_ok=True)
    small = {key: value.half() if value.is_floating_point() else value for key, value in state.items()}
    save_file({key: value.detach().contiguous() for key, value in small.items()}, path, texts)


def write_world(folder: Path, name: str, form: Form, steps: dict[str, int]) -> None:
    """world.json: everything a loader needs to know about the weights beside it, and for how long they were trained.

    steps : that each stage has done
    """
    folder.mkdir(parents=True, exist_ok=True)
    facts = {**world_facts(name, form), "steps": steps}
    (folder / "world.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def write_image_encoder(path: Path, encoder: nn.Module, config: dict) -> None:
    """A CLIP vision model, and beside it the configuration that the host's class reads."""
    write_safetensors(path, encoder.state_dict())
    path.with_suffix(".json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")


def write_onnx(
    path: Path, module: nn.Module, shape: tuple[int, ...], inputs: str, outputs: list[str], batched: bool
) -> None:
    """Export a module in evaluation mode; its weights are stored in fp16 and cast back when a session loads them.

    shape           : of the example input
    inputs, outputs : names in the file
    batched         : whether the first axis of all of them is free
    """
    import onnx

    path.parent.mkdir(parents=True, exist_ok=True)
    axes = {name: {0: "batch"} for name in (inputs, *outputs)} if batched else None
    torch.onnx.export(
        module.eval().to(memory_format=torch.contiguous_format),
        (torch.zeros(shape),),
        str(path),
        input_names=[inputs],
        output_names=outputs,
        dynamic_axes=axes,
        opset_version=OPSET,
        dynamo=False,
    )
    model = onnx.load(str(path))
    model.ir_version = IR_VERSION
    _halve_weights(model)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def _halve_weights(model) -> None:
    """Turn large float32 initialisers into fp16 ones followed by a cast."""
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for index, tensor in enumerate(model.graph.initializer):
        values = numpy_helper.to_array(tensor)
        if tensor.data_type != TensorProto.FLOAT or values.size < 64:
            continue
        small = numpy_helper.from_array(values.astype("float16"), tensor.name + "_fp16")
        to_float = {"to": TensorProto.FLOAT, "name": tensor.name + "_cast"}
        casts.append(helper.make_node("Cast", [small.name], [tensor.name], **to_float))
        model.graph.initializer[index].CopyFrom(small)
    nodes = casts + list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)


class ScrfdOutputs(nn.Module):
    """The detector with SCRFD's nine outputs: scores of all strides, then boxes, then key points, each [A, C]."""

    def __init__(self, detector: Detector):
        super().__init__()
        self.detector = detector

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        scores, boxes, points = zip(*self.detector(x), strict=True)
        return (*(s[0].sigmoid() for s in scores), *(b[0] for b in boxes), *(p[0] for p in points))


def write_detector(path: Path, detector: Detector) -> None:
    """SCRFD format: static input, no batch axis in the outputs."""
    names = [f"{kind}_{stride}" for kind in ("score", "bbox", "kps") for stride in (8, 16, 32)]
    write_onnx(path, ScrfdOutputs(detector), (1, 3, SIDE, SIDE), "input.1", names, batched=False)


def write_recogniser(path: Path, recogniser: nn.Module) -> None:
    """ArcFace format: [N, 3, 112, 112] in -1..1, RGB -> [N, 512]."""
    write_onnx(path, recogniser, (1, 3, 112, 112), "input.1", ["embedding"], batched=True)
