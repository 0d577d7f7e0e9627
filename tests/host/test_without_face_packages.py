"""Without OpenCV or ONNX Runtime the pack loads, offers no face pack, and says what to type."""

import importlib
import importlib.machinery
import sys

import pytest
from pack.face.needs import INSTALLER, NEEDED, line_to_type, missing
from pack.nodes import NODES
from pack.nodes.faces.face_nodes import LoadFaceEngine
from pack.nodes.host.doctor.doctor import is_trouble
from pack.nodes.host.doctor.doctor_packages import clashes, installed, package_lines
from pack.nodes.host.faces.face_packs import NO_LIBRARY, pack_names
from pack.nodes.host.model_files import published
from pack.scripts.bootstrap.places import ROOT
from pack.tests.host.finished import finished


@pytest.fixture(params=[["cv2"], ["onnxruntime"], ["cv2", "onnxruntime"]], ids="+".join)
def lacking(request, monkeypatch):
    """Modules that cannot be found or imported, as where their packages are not installed."""
    find = importlib.machinery.PathFinder.find_spec

    def find_spec(name, path=None, target=None):
        return None if name.split(".")[0] in request.param else find(name, path, target)

    for name in [name for name in sys.modules if name.split(".")[0] in request.param]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(importlib.machinery.PathFinder, "find_spec", find_spec)
    return request.param


def test_the_pack_loads_and_says_so_in_the_log(lacking, monkeypatch, caplog):
    import nodes as host

    for registry in ("NODE_CLASS_MAPPINGS", "NODE_DISPLAY_NAME_MAPPINGS", "EXTENSION_WEB_DIRS", "LOADED_MODULE_DIRS"):
        monkeypatch.setattr(host, registry, dict(getattr(host, registry)))
    modules = dict(sys.modules)
    try:
        assert finished(host.load_custom_node(str(ROOT)))
        ours = {name for name in host.NODE_CLASS_MAPPINGS if name.startswith("Troupe_")}
        assert ours == {node.GET_SCHEMA().node_id for node in NODES}
    finally:
        for name in set(sys.modules) - set(modules):
            del sys.modules[name]
    (said,) = [record.getMessage() for record in caplog.records if "Type this line" in record.getMessage()]
    assert line_to_type() in said
    assert all((NEEDED[name] in said) == (name in lacking) for name in NEEDED)


def test_no_face_pack_is_offered_and_a_run_says_what_to_type(lacking):
    assert missing() == [NEEDED[name] for name in lacking]
    assert pack_names() == [NO_LIBRARY]
    assert line_to_type() in LoadFaceEngine.validate_inputs("troupe-demo")
    with pytest.raises(ValueError, match="Type this line") as caught:
        LoadFaceEngine.execute("troupe-demo", "CPU")
    assert str(INSTALLER) in str(caught.value)
    assert INSTALLER.is_file()


def test_with_both_every_pack_that_is_there_is_taken():
    assert missing() == []
    assert LoadFaceEngine.validate_inputs("troupe-demo") is True
    assert LoadFaceEngine.validate_inputs(None) is True


def test_a_pack_that_is_not_there_is_told_at_its_input_with_its_address(monkeypatch):
    monkeypatch.setattr("pack.nodes.host.faces.face_packs.find_packs", lambda _folders: {})

    said = LoadFaceEngine.validate_inputs("antelopev2")

    assert "no face pack 'antelopev2'" in said
    assert published("antelopev2").address in said


@pytest.mark.parametrize(("prefix", "says"), [("opencv", "OpenCV"), ("onnxruntime", "ONNX Runtime")])
def test_the_doctor_prints_the_line(prefix, says):
    found = {name: version for name, version in installed().items() if not name.startswith(prefix)}

    (line,) = [line for line in clashes(found) if is_trouble(line)]
    assert line.startswith(f"! {says} is not installed")
    assert line.endswith(line_to_type())


def test_an_opencv_that_is_there_and_cannot_be_imported_is_told_in_a_sentence(tmp_path, monkeypatch):
    """As where libGL is missing."""
    (tmp_path / "cv2").mkdir()
    (tmp_path / "cv2" / "__init__.py").write_text("raise ImportError('libGL.so.1: cannot open shared object file')\n")
    for name in [name for name in sys.modules if name.split(".")[0] == "cv2"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(str(tmp_path))

    with pytest.raises(ValueError, match="OpenCV is installed and cannot be imported .libGL.so.1") as caught:
        LoadFaceEngine.execute("troupe-demo", "CPU")
    assert line_to_type() in str(caught.value)
    assert any(line.startswith("! OpenCV is installed and cannot be imported") for line in package_lines())
