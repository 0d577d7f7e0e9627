"""The ONNX engine on real graphs: what it finds in pictures of every size, and what it says when it cannot."""

import hashlib
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from pack.face.onnx_engine import load_engine
from pack.face.pack import read_pack
from pack.face.providers import CPU, check_started, providers_for
from pack.tests.face.onnx_packs import empty_outputs, red_squares, write_constant_detector, write_recogniser


@pytest.mark.parametrize(("height", "width"), [(128, 128), (1024, 1024), (1024, 512), (96, 256), (257, 131)])
def test_a_detector_of_fixed_size_finds_faces_in_pictures_of_any_size(engine, height, width):
    side = round(32 * max(height, width) / 256)
    x, y = (width - side) // 2, (height - side) // 3

    faces = engine.detect(red_squares(height, width, (x, y, side)))

    assert len(faces) == 1
    np.testing.assert_allclose(faces[0].bbox, [x, y, x + side, y + side], atol=4.5 * side / 32)
    assert faces[0].embedding.shape == (512,)
    assert faces[0].crop.shape == (112, 112, 3)
    assert faces[0].crop.dtype == np.uint8


def test_faces_come_largest_first(tmp_path):
    outputs = empty_outputs()
    for cell, reach in ((40, 1.0), (2 * 32 * 20 + 30, 3.0)):
        outputs[0][cell] = 0.9
        outputs[3][cell] = reach
        outputs[6][cell] = np.arange(10)
    write_constant_detector(tmp_path / "a.onnx", outputs)
    write_recogniser(tmp_path / "b.onnx")

    faces = load_engine(read_pack("two", tmp_path), "CPU").detect(np.zeros((256, 256, 3), np.uint8))

    assert [round(float(face.bbox[2] - face.bbox[0])) for face in faces] == [48, 16]


def test_an_empty_picture_has_no_faces(engine):
    assert engine.detect(np.zeros((64, 64, 3), np.uint8)) == []


def test_embedding_the_stored_crop_again_gives_the_same_embedding(engine):
    face = engine.detect(red_squares(256, 256, (64, 64, 32)))[0]

    assert np.array_equal(engine.embed(face.crop[None])[0], face.embedding)


def test_a_recogniser_with_a_fixed_batch_of_one_describes_many_faces(tmp_path, square_pack, engine):
    write_recogniser(tmp_path / "fixed.onnx", batch=1)
    (tmp_path / "a.onnx").write_bytes((square_pack / "a.onnx").read_bytes())
    fixed = load_engine(read_pack("fixed", tmp_path), "CPU")
    crops = np.random.default_rng(0).integers(0, 256, (3, 112, 112, 3), dtype=np.uint8)

    np.testing.assert_allclose(fixed.embed(crops), engine.embed(crops), atol=1e-4)


def test_a_graph_that_normalises_itself_is_given_plain_pixels(tmp_path, square_pack, engine):
    write_recogniser(tmp_path / "own.onnx", normalises=True)
    (tmp_path / "a.onnx").write_bytes((square_pack / "a.onnx").read_bytes())
    own = load_engine(read_pack("own", tmp_path), "CPU")
    crops = np.random.default_rng(0).integers(0, 256, (2, 112, 112, 3), dtype=np.uint8)

    assert own.graph_normalises
    assert not engine.graph_normalises
    np.testing.assert_allclose(own.embed(crops), engine.embed(crops), atol=1e-3)


def test_the_recogniser_is_named_by_the_content_of_its_file(engine, square_pack):
    assert engine.recogniser == hashlib.sha256((square_pack / "b.onnx").read_bytes()).hexdigest()[:16]


def test_a_detector_without_key_points_is_refused_with_a_way_out(tmp_path):
    outputs = empty_outputs(keypoints=False)
    outputs[0][0] = 0.9
    write_constant_detector(tmp_path / "a.onnx", outputs)
    write_recogniser(tmp_path / "b.onnx")

    with pytest.raises(ValueError, match=r"'plain' gives no key points.*buffalo_l"):
        load_engine(read_pack("plain", tmp_path), "CPU").detect(np.zeros((64, 64, 3), np.uint8))


@pytest.mark.parametrize(
    "picture", [np.zeros((8, 8), np.uint8), np.zeros((8, 8, 4), np.uint8), np.zeros((8, 8, 3), np.float32)]
)
def test_a_picture_of_the_wrong_form_is_refused(engine, picture):
    with pytest.raises(ValueError, match=r"uint8 \[H, W, 3\]"):
        engine.detect(picture)


def test_the_cpu_comes_last_and_an_automatic_choice_never_fails():
    cuda, migraphx, directml = "CUDAExecutionProvider", "MIGraphXExecutionProvider", "DmlExecutionProvider"

    assert providers_for("CUDA", [cuda, CPU], gpu=True) == [cuda, CPU]
    assert providers_for("auto", ["AzureExecutionProvider", CPU], gpu=True) == [CPU]
    assert providers_for("auto", [cuda, CPU], gpu=True) == [cuda, CPU]
    assert providers_for("auto", [cuda, CPU], gpu=False) == [CPU]
    assert providers_for("auto", [directml, CPU], gpu=False) == [directml, CPU]
    assert providers_for("ROCm", [migraphx, CPU], gpu=True) == [migraphx, CPU]
    assert providers_for("CPU", [cuda, CPU], gpu=True) == [CPU]


def test_a_provider_that_is_not_there_is_named_with_its_cause():
    with pytest.raises(
        RuntimeError, match=r"asked to run on DirectML.*offers only CPUExecutionProvider.*onnxruntime-directml"
    ):
        providers_for("DirectML", [CPU], gpu=False)
    with pytest.raises(ValueError, match=r"Unknown provider 'TPU'"):
        providers_for("TPU", [CPU], gpu=False)


def test_a_provider_that_did_not_start_is_named_unless_the_choice_was_automatic():
    asked = ["CUDAExecutionProvider", CPU]
    with pytest.raises(RuntimeError, match=r"CUDA.*did not start.*'auto' or 'CPU'"):
        check_started("CUDA", asked, [CPU])
    check_started("auto", asked, [CPU])
    check_started("CUDA", asked, asked)


def test_nothing_heavy_is_imported_before_a_pack_is_loaded():
    code = (
        "import sys, types\n"
        "sys.modules['pack'] = types.ModuleType('pack')\n"
        "sys.modules['pack'].__path__ = [sys.argv[1]]\n"
        "import pack.face.onnx_engine, pack.face.pack, pack.face.extraction, pack.face.alignment\n"
        "print(sorted({'cv2', 'onnxruntime', 'onnx', 'insightface', 'torch'} & set(sys.modules)))"
    )
    root = str(Path(__file__).parents[2])

    result = subprocess.run([sys.executable, "-c", code, root], capture_output=True, text=True, check=True)

    assert result.stdout.strip() == "[]"


def endless(path):
    """A recogniser that goes round for ever."""
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Identity", ["value"], ["next"])],
        "body",
        [
            helper.make_tensor_value_info("round", TensorProto.INT64, []),
            helper.make_tensor_value_info("go", TensorProto.BOOL, []),
            helper.make_tensor_value_info("value", TensorProto.FLOAT, ["batch", 512]),
        ],
        [
            helper.make_tensor_value_info("on", TensorProto.BOOL, []),
            helper.make_tensor_value_info("next", TensorProto.FLOAT, ["batch", 512]),
        ],
    )
    model = onnx.load(str(write_recogniser(path)))
    model.graph.initializer.append(numpy_helper.from_array(np.array(True), "go.first"))
    model.graph.node[-1].output[0] = "first"
    model.graph.node.append(helper.make_node("Loop", ["", "go.first", "first"], ["embedding"], body=body))
    onnx.save(model, str(path))


def test_an_endless_graph_ends_when_the_user_stops_the_run(tmp_path, square_pack):
    endless(tmp_path / "b.onnx")
    (tmp_path / "a.onnx").write_bytes((square_pack / "a.onnx").read_bytes())
    begun = []
    slow = load_engine(read_pack("slow", tmp_path), "CPU", lambda: begun and time.monotonic() > begun[0] + 0.5)
    begun.append(time.monotonic())

    with pytest.raises(ValueError, match=r"The face pack 'slow' cannot be used: its file b.onnx failed while it ran"):
        slow.embed(np.zeros((1, 112, 112, 3), np.uint8))


def test_a_graph_that_gives_something_else_than_it_says_is_named_with_its_pack(tmp_path):
    outputs = empty_outputs()
    write_constant_detector(tmp_path / "a.onnx", [np.zeros((7, array.shape[1])) for array in outputs])
    write_recogniser(tmp_path / "b.onnx")

    with pytest.raises(ValueError, match=r"The face pack 'odd' cannot be used: The detector gave"):
        load_engine(read_pack("odd", tmp_path), "CPU").detect(np.zeros((64, 64, 3), np.uint8))
