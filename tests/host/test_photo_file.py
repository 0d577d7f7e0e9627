"""What strict readers say of photos' files, and how Extract Identity hears of it."""

import io
from types import SimpleNamespace

import folder_paths
import numpy as np
import pytest
from pack.demo.people_by_name import photo_of
from pack.face.engine import Search
from pack.face.extraction import extract_identity
from pack.face.extraction_words import LOOK
from pack.face.onnx_engine import load_engine
from pack.face.pack import read_pack
from pack.nodes.host.demo_world import WEIGHTS
from pack.nodes.host.faces.photo_file import flaw_of, loaded_file
from pack.scripts.benches.face_search.sound_files import changes
from pack.scripts.benches.face_search.sound_files import encoded as encoded_in_all_kinds
from pack.scripts.hosting.client import error_of
from pack.tests.host.conftest import host_folder
from PIL import Image

KINDS = {"JPEG": {"quality": 90}, "PNG": {}, "WEBP": {"quality": 90}}


def encoded(kind, **options):
    buffer = io.BytesIO()
    Image.fromarray((photo_of("Ada") * 255).round().byte().numpy()).save(buffer, kind, **{**KINDS[kind], **options})
    return buffer.getvalue()


def written(folder, data, name="photo.png"):
    (folder / name).write_bytes(data)
    return folder / name


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_breaks_off_is_named(tmp_path, kind):
    data = encoded(kind)
    name = f"photo.{kind.lower()}"

    assert flaw_of(written(tmp_path, data, name)) == ""
    for part in (0.3, 0.66, 0.95):
        assert name in flaw_of(written(tmp_path, data[: int(len(data) * part)], name))


def test_a_png_with_flipped_bits_in_its_picture_is_named(tmp_path):
    data = bytearray(encoded("PNG"))
    data[len(data) // 2] ^= 1

    assert "checksum of its part 'IDAT'" in flaw_of(written(tmp_path, bytes(data)))
    assert flaw_of(written(tmp_path, b"")) == ""


@pytest.mark.parametrize("picture", ["drawn", "noise"])
def test_no_sound_file_is_refused(tmp_path, picture):
    draw = np.random.default_rng(1)
    noise = draw.integers(0, 256, (75, 101, 3)).astype(np.uint8)
    photo = (photo_of("Ada").numpy() * 255).round().astype(np.uint8) if picture == "drawn" else noise
    for kind, data in encoded_in_all_kinds(photo, draw):
        assert flaw_of(written(tmp_path, data, kind.split()[-1])) == "", kind
    for mode in ("L", "CMYK"):
        Image.fromarray(photo).convert(mode).save(tmp_path / "a.jpg")
        assert flaw_of(tmp_path / "a.jpg") == "", mode


def test_comfyuis_own_example_and_photos_that_were_changed_are_taken():
    assert flaw_of(host_folder() / "input" / "example.png") == ""
    engine = load_engine(read_pack("troupe-demo", WEIGHTS / "insightface" / "models" / "troupe-demo"), "CPU")
    photo = (photo_of("Ben", 160).numpy() * 255).round().astype(np.uint8)

    for change, changed in changes(photo, np.random.default_rng(2)):
        found = extract_identity(engine, [changed], "Ben", search=Search())
        assert (found.warning, LOOK in found.report[0]) == ("", False), change


def test_the_file_is_known_where_load_image_is_linked_and_nowhere_else(tmp_path, monkeypatch):
    monkeypatch.setattr(folder_paths, "get_input_directory", lambda: str(tmp_path))
    written(tmp_path, b"")
    prompt = {
        "1": {"class_type": "LoadImage", "inputs": {"image": "photo.png"}},
        "2": {"class_type": "ImageInvert", "inputs": {"image": ["1", 0]}},
        "3": {"class_type": "LoadImage", "inputs": {"image": "gone.png"}},
        **{f"of {node}": {"class_type": "X", "inputs": {"image": [node, 0]}} for node in "123"},
    }

    found = [loaded_file(SimpleNamespace(prompt=prompt, unique_id=f"of {node}"), "image") for node in "1234"]

    assert found == [tmp_path / "photo.png", None, None, None]
    assert loaded_file(None, "image") is None


def test_a_damaged_file_is_one_clear_error_in_the_graph_unless_the_user_takes_it(server):
    data = encoded("JPEG")
    written(server.base / "input", data[: len(data) * 3 // 4], "damaged.jpg")

    def run(**inputs):
        prompt = {
            "1": {"class_type": "LoadImage", "inputs": {"image": "damaged.jpg"}},
            "2": {"class_type": "Troupe_LoadFaceEngine", "inputs": {"pack": "troupe-demo", "provider": "CPU"}},
            "3": {
                "class_type": "Troupe_ExtractIdentity",
                "inputs": {"engine": ["2", 0], "image": ["1", 0], "name": "Ada", "select": "largest", **inputs},
            },
            "4": {"class_type": "PreviewImage", "inputs": {"images": ["3", 1]}},
        }
        return error_of(server.client.wait(server.client.submit(prompt), 300))

    assert "comes from a damaged file ('damaged.jpg': its data breaks off" in run()
    assert run(damaged="take it") is None
