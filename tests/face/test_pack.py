"""Finding packs in model folders, and the right files in a pack, whatever they are called."""

from contextlib import contextmanager

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pack.face.onnx_graph import read_outline
from pack.face.pack import find_packs, read_pack
from pack.tests.face.onnx_packs import (
    empty_outputs,
    write_constant_detector,
    write_landmarks,
    write_random_detector,
    write_recogniser,
)


@contextmanager
def suppress_named(path):
    """Let pass a ValueError that names the file and says what to do, and nothing else."""
    try:
        yield
    except ValueError as error:
        if str(path) not in str(error) or "fetch it again" not in str(error):
            raise


def write_pack(folder, detector="det_10g.onnx", recogniser="w600k_r50.onnx"):
    write_constant_detector(folder / detector, empty_outputs())
    write_recogniser(folder / recogniser)
    return folder


def test_packs_are_found_flat_and_nested_under_both_layouts(tmp_path):
    write_pack(tmp_path / "first" / "models" / "buffalo_l")
    write_pack(tmp_path / "first" / "models" / "antelopev2" / "antelopev2")
    write_pack(tmp_path / "first" / "mine")
    write_pack(tmp_path / "second" / "models" / "buffalo_l")
    write_pack(tmp_path / "second" / "models" / "demo")
    (tmp_path / "first" / "models" / "empty").mkdir()
    (tmp_path / "first" / "inswapper_128.onnx").write_bytes(b"a file beside the packs")

    packs = find_packs([tmp_path / "first", tmp_path / "second", tmp_path / "missing"])

    assert list(packs) == ["antelopev2", "buffalo_l", "mine", "demo"]
    assert packs["buffalo_l"] == tmp_path / "first" / "models" / "buffalo_l"


@pytest.mark.parametrize("inner", ["", "antelopev2"])
def test_files_are_known_by_their_shapes_not_their_names(tmp_path, inner):
    folder = write_pack(tmp_path / "antelopev2" / inner, detector="z.onnx", recogniser="a.ONNX")
    write_landmarks(folder / "1k3d68.onnx")
    write_landmarks(folder / "genderage.onnx", size=96)

    pack = read_pack("antelopev2", tmp_path / "antelopev2")

    assert (pack.detector.name, pack.recogniser.name) == ("z.onnx", "a.ONNX")


def test_an_incomplete_pack_says_what_each_file_is_and_what_is_needed(tmp_path):
    write_random_detector(tmp_path / "one.onnx")
    write_landmarks(tmp_path / "two.onnx")
    (tmp_path / "three.onnx").write_bytes(b"<html>404 not found</html>")

    with pytest.raises(ValueError, match="not complete") as caught:
        read_pack("buffalo_l", tmp_path)

    message = str(caught.value)
    for part in (
        "one.onnx: detector",
        "two.onnx: something else",
        "three.onnx: damaged",
        "w600k_r50.onnx",
        str(tmp_path),
    ):
        assert part in message


def test_an_empty_folder_is_explained(tmp_path):
    with pytest.raises(ValueError, match=r"no \.onnx file(?s:.*)\(detector\)(?s:.*)\(recogniser\)"):
        read_pack("buffalo_l", tmp_path)


def test_a_damaged_extra_file_does_not_spoil_a_complete_pack(tmp_path):
    write_pack(tmp_path)
    (tmp_path / "a_broken.onnx").write_bytes(b"")

    assert read_pack("p", tmp_path).detector.name == "det_10g.onnx"


def test_the_outline_agrees_with_the_onnx_package(tmp_path):
    path = write_random_detector(tmp_path / "a.onnx", size=(320, 256))
    graph = onnx.load(str(path)).graph

    outline = read_outline(path)

    assert outline.inputs == {"input.1": (1, 3, 256, 320)}
    assert list(outline.outputs) == [value.name for value in graph.output]
    assert list(outline.outputs.values())[3] == (None, 4)
    assert outline.first_nodes == tuple(node.name for node in graph.node[:8])


def test_node_names_and_open_dimensions_are_read(tmp_path):
    outline = read_outline(write_recogniser(tmp_path / "a.onnx", normalises=True))

    assert outline.inputs == {"data": (None, 3, 112, 112)}
    assert outline.first_nodes[:3] == ("_minusscalar0", "_mulscalar0", "Conv_0")


def test_weights_listed_among_the_inputs_are_not_inputs(tmp_path):
    path = write_recogniser(tmp_path / "a.onnx")
    model = onnx.load(str(path))
    for weight in model.graph.initializer:
        model.graph.input.append(onnx.helper.make_tensor_value_info(weight.name, weight.data_type, weight.dims))
    onnx.save(model, str(path))

    assert list(read_outline(path).inputs) == ["data"]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_damaged_file_gives_an_outline_or_one_clear_error(tmp_path_factory, data):
    good = tmp_path_factory.getbasetemp() / "good.onnx"
    if not good.exists():
        write_random_detector(good)
    content = bytearray(good.read_bytes()[:4000] if data.draw(st.booleans()) else good.read_bytes()[-4000:])
    for _ in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    bad = good.with_name("bad.onnx")
    bad.write_bytes(bytes(content))

    with suppress_named(bad):
        read_outline(bad)


def test_a_cut_off_download_is_named(tmp_path):
    path = write_recogniser(tmp_path / "w600k_r50.onnx")
    path.write_bytes(path.read_bytes()[:5000])

    with pytest.raises(ValueError, match=r"w600k_r50\.onnx is not a complete ONNX model"):
        read_outline(path)


def test_outputs_without_a_stated_shape_do_not_hide_a_recogniser(tmp_path):
    path = write_recogniser(tmp_path / "r.onnx")
    model = onnx.load(str(path))
    model.graph.output[0].type.tensor_type.ClearField("shape")
    onnx.save(model, str(path))
    write_constant_detector(tmp_path / "d.onnx", [np.zeros((2, n)) for n in (1, 1, 1, 4, 4, 4)])

    assert read_pack("p", tmp_path).recogniser == path


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (lambda path: resized(write_recogniser(path), 160), "a recogniser of faces of 160x160 pixels"),
        (lambda path: doubled(write_recogniser(path)), "a recogniser with 2 outputs"),
        (lambda path: write_constant_detector(path, empty_outputs(), (20480, 20480)), "20480x20480 pixels; 2048x2048"),
    ],
)
def test_a_file_that_nearly_fits_is_listed_with_the_reason(tmp_path, write, reason):
    write(tmp_path / "odd.onnx")

    with pytest.raises(ValueError, match="not complete") as caught:
        read_pack("p", tmp_path)
    assert reason in str(caught.value)


def resized(path, side):
    model = onnx.load(str(path))
    for dim in model.graph.input[0].type.tensor_type.shape.dim[2:]:
        dim.dim_value = side
    onnx.save(model, str(path))


def doubled(path):
    model = onnx.load(str(path))
    model.graph.node.append(onnx.helper.make_node("Identity", ["embedding"], ["again"]))
    model.graph.output.append(onnx.helper.make_tensor_value_info("again", onnx.TensorProto.FLOAT, ["batch", 512]))
    onnx.save(model, str(path))
