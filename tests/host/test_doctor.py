"""The doctor: what it says of files that are there, missing, damaged or not to be sold, and of packages that clash."""

import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import folder_paths
import pytest
from pack.face.providers import _installed_runtimes
from pack.nodes.host.doctor.doctor import is_trouble
from pack.nodes.host.doctor.doctor_files import NON_COMMERCIAL, adapter_lines, pack_lines
from pack.nodes.host.doctor.doctor_packages import clashes, provider_lines
from pack.nodes.host.doctor.doctor_workflows import missing_files, workflow_lines
from pack.nodes.host.faces.recognisers import PUBLISHED
from pack.nodes.host.model_files import published
from pack.nodes.setup.doctor_nodes import Doctor
from pack.tests.face.onnx_packs import write_landmarks, write_recogniser, write_square_detector

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def models(tmp_path, monkeypatch):
    """Empty model folders in place of all the host knows."""
    for name in (
        "insightface",
        "ipadapter",
        "instantid",
        "pulid",
        "identities",
        "clip_vision",
        "checkpoints",
        "controlnet",
        "diffusion_models",
    ):
        (tmp_path / name).mkdir()
        of_old = [str(tmp_path / "unet")] if name == "diffusion_models" else []  # which ComfyUI reads first
        monkeypatch.setitem(
            folder_paths.folder_names_and_paths, name, ([*of_old, str(tmp_path / name)], {".safetensors", ".bin"})
        )
        folder_paths.filename_list_cache.pop(name, None)
    for module in ("model_folders", "doctor.doctor_workflows", "doctor.doctor"):
        monkeypatch.setattr(f"pack.nodes.host.{module}.register_model_folders", lambda: None)
    yield tmp_path
    folder_paths.filename_list_cache.clear()


def complete_pack(folder):
    write_square_detector(folder / "det.onnx")
    write_recogniser(folder / "rec.onnx")
    write_landmarks(folder / "points.onnx")


def test_installed_packages_are_gone_through_once_for_all_providers(monkeypatch):
    counted, original = [], metadata.distributions
    monkeypatch.setattr(metadata, "distributions", lambda: counted.append(1) or original())
    _installed_runtimes.cache_clear()

    assert sum(": no." in line for line in [*provider_lines(), *provider_lines()]) >= 2
    assert len(counted) == 1


def test_every_file_of_a_pack_is_listed_with_what_it_is_and_the_licence(models, monkeypatch):
    complete_pack(models / "insightface" / "models" / "buffalo_l")
    (models / "insightface" / "models" / "half").mkdir()
    write_recogniser(models / "insightface" / "models" / "half" / "rec.onnx")

    first, *rest = pack_lines()

    assert first.startswith("buffalo_l: complete, recogniser ")
    assert NON_COMMERCIAL in first
    assert str(models / "insightface" / "models" / "buffalo_l") in first
    assert [line.split(",")[0].strip() for line in rest[:3]] == [
        "det.onnx: detector", "points.onnx: not needed", "rec.onnx: recogniser",
    ]  # fmt: skip
    assert "half: ! The face pack 'half'" in rest[3]
    assert is_trouble(rest[3])
    assert not is_trouble(first)


def test_a_published_recogniser_is_known_whatever_its_folder_is_called(models, monkeypatch):
    complete_pack(models / "insightface" / "models" / "mine")
    monkeypatch.setattr("pack.nodes.host.doctor.doctor_files.content_hash", lambda _path: next(iter(PUBLISHED)))

    assert f"the recogniser of buffalo_l; {NON_COMMERCIAL}" in pack_lines()[0]


def test_adapters_are_recognised_and_broken_ones_named(models):
    (models / "ipadapter" / "broken.safetensors").write_bytes(b"not weights")
    shipped = ROOT / "demo" / "weights" / "ipadapter" / "troupe-demo-faceid.safetensors"
    (models / "ipadapter" / "good.safetensors").write_bytes(shipped.read_bytes())

    broken, good = adapter_lines()

    assert broken.startswith("broken.safetensors: ! Troupe: the adapter file 'broken.safetensors' cannot be read")
    assert good.startswith("good.safetensors: faceid, 2.7 MB; learned from InsightFace's embeddings")


def test_what_is_missing_for_a_workflow_is_named_with_its_folder(models, tmp_path):
    def node(kind, name):
        return {"type": kind, "widgets_values": [name, "auto"]}

    (models / "checkpoints" / "there.safetensors").write_bytes(b"x")
    folder = tmp_path / "workflows"
    folder.mkdir()
    needs = [node("Troupe_LoadFaceEngine", "buffalo_l"), node("CheckpointLoaderSimple", "gone.safetensors")]
    (folder / "a.json").write_text(json.dumps({"nodes": [*needs, needs[1], {"type": "Note"}]}))
    (folder / "b.json").write_text(json.dumps({"nodes": [node("CheckpointLoaderSimple", "there.safetensors")]}))

    lacking, complete = workflow_lines(folder)

    assert lacking == (
        f"! a: needs face pack buffalo_l in {models / 'insightface' / 'models' / 'buffalo_l'} "
        f"({published('buffalo_l').address}, to be unpacked there as buffalo_l); "
        f"gone.safetensors in {models / 'checkpoints'}"
    )
    assert complete == "b: complete"


@pytest.mark.parametrize(
    ("kind", "name", "folder"),
    [
        ("Troupe_LoadAdapter", "ip-adapter.bin", "instantid"),
        ("Troupe_LoadAdapter", "PuLID/ip-adapter_pulid_sdxl_fp16.safetensors", "pulid"),
        ("Troupe_LoadAdapter", "pulid_flux_v0.9.0.safetensors", "pulid"),
        ("Troupe_LoadAdapter", "pulid_flux_v0.9.1.safetensors", "pulid"),
        ("Troupe_LoadAdapter", "ip-adapter-faceid_sd15.bin", "ipadapter"),
        ("CheckpointLoaderSimple", "sd_xl_base_1.0.safetensors", "checkpoints"),
        ("UNETLoader", "flux1-dev-kontext_fp8_scaled.safetensors", "diffusion_models"),
    ],
)
def test_a_missing_published_file_is_sent_to_its_own_folder_with_its_address(models, kind, name, folder):
    (said,) = [
        line for line in missing_files({"nodes": [{"type": kind, "widgets_values": [name]}]}) if "EVA" not in line
    ]

    assert said == f"{name} in {models / folder} ({published(name).address})"


@pytest.mark.parametrize(
    ("here", "said"),
    [
        ("instantid-controlnet.safetensors", True),
        ("InstantID/diffusion_pytorch_model.safetensors", True),
        ("depth-sdxl/diffusion_pytorch_model.safetensors", False),
    ],
)
def test_a_file_that_is_here_by_another_name_is_said_where_a_stock_loader_has_to_choose_it(models, here, said):
    (models / "controlnet" / here).parent.mkdir(exist_ok=True)
    (models / "controlnet" / here).write_bytes(b"x")
    node = {"type": "ControlNetLoader", "widgets_values": ["diffusion_pytorch_model.safetensors"]}

    (line,) = missing_files({"nodes": [node]})

    assert (line == f"diffusion_pytorch_model.safetensors, which is here as {here}: choose it in the node") == said


def test_a_file_that_our_own_loader_finds_by_another_name_is_not_missing(models):
    (models / "instantid" / "SDXL").mkdir()
    (models / "instantid" / "SDXL" / "IP-Adapter.bin").write_bytes(b"x")

    assert list(missing_files({"nodes": [{"type": "Troupe_LoadAdapter", "widgets_values": ["ip-adapter.bin"]}]})) == []


GOOD = {
    "onnxruntime-gpu": "1",
    "opencv-python": "5",
    "scipy": "1",
    "matplotlib": "3",
    "numpy": "2",
    "insightface": "2.1",
}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"onnxruntime": "1"}, "onnxruntime and onnxruntime-gpu are installed together"),
        ({"opencv-contrib-python": "4"}, "opencv-python and opencv-contrib-python are installed together"),
        ({"insightface": "0.7.3"}, "insightface 0.7.3 is compiled against one numpy"),
        ({"scipy": None}, "scipy is not installed; it matches faces"),
        ({"onnxruntime-gpu": None}, "ONNX Runtime is not installed; it finds"),
        ({"opencv-python": None}, "OpenCV is not installed; it aligns"),
    ],
)
def test_packages_that_clash_or_are_missing_are_named(more, words):
    found = {name: version for name, version in {**GOOD, **more}.items() if version}

    assert clashes(GOOD) == []
    (line,) = clashes(found)
    assert line.startswith("! ")
    assert words in line


def test_every_provider_has_a_state_and_the_cpu_works():
    lines = provider_lines()

    assert [line.split(":")[0] for line in lines] == ["CPU", "CUDA", "ROCm", "DirectML", "CoreML", "OpenVINO"]
    assert lines[0] == "CPU: yes (CPUExecutionProvider)"
    assert "onnxruntime-directml" in lines[3]


def test_the_node_and_the_command_say_the_same_of_the_demos_files():
    node = Doctor.execute().result[0]
    comfyui = Path(folder_paths.base_path)
    command = [sys.executable, str(ROOT / "scripts" / "doctor.py"), "--inside", str(comfyui)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=120)

    assert said.returncode == 0, said.stderr
    for text in (node, said.stdout):
        assert "troupe-demo: complete, recogniser" in text
        assert "Apache-2.0, part of this pack" in text
        assert "10 Two people, wired by hand: complete" in text
        assert "models/checkpoints" in text
        assert "Clear Face Cache" in text
