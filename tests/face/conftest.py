"""Packs for the tests of the face room."""

import pytest
from pack.face.onnx_engine import load_engine
from pack.face.pack import read_pack
from pack.tests.face.onnx_packs import write_recogniser, write_square_detector


@pytest.fixture(scope="session")
def square_pack(tmp_path_factory):
    """A folder with a pack whose detector takes red squares for faces, at a fixed input of 256 pixels."""
    folder = tmp_path_factory.mktemp("squares")
    write_square_detector(folder / "a.onnx")
    write_recogniser(folder / "b.onnx")
    return folder


@pytest.fixture(scope="session")
def engine(square_pack):
    return load_engine(read_pack("squares", square_pack), "CPU")
