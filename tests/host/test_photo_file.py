"""What strict readers say of photos' files, and how Extract Identity hears of it."""

import io
from types import SimpleNamespace

import av
import folder_paths
import numpy as np
import pytest
from pack.demo.people_by_name import photo_of
from pack.nodes.host.faces.coded_data import contradiction_in, jpeg_header
from pack.nodes.host.faces.photo_file import flaw_of, loaded_file
from pack.scripts.hosting.client import error_of
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
def test_sound_files_have_no_flaw_and_broken_ones_are_named(tmp_path, kind):
    data = encoded(kind)
    name = f"photo.{kind.lower()}"

    assert flaw_of(written(tmp_path, data, name)) == ""
    assert name in flaw_of(written(tmp_path, data[: len(data) * 2 // 3], name))


@pytest.mark.parametrize("options", [{"progressive": True}, {"subsampling": 0}, {"quality": 20}, {"optimize": True}])
def test_jpegs_of_all_sorts_are_sound_without_their_end_mark_or_with_something_behind_it(tmp_path, options):
    data = encoded("JPEG", **options)

    assert [flaw_of(written(tmp_path, found, "a.jpg")) for found in (data, data[:-2], data + b"odds" * 50)] == [""] * 3


def test_a_jpeg_whose_head_is_damaged_is_known_although_ffmpeg_reads_it(tmp_path):
    path = written(tmp_path, b"\xff\xd0" + encoded("JPEG")[2:], "photo.jpg")
    with av.open(str(path)) as container:
        assert len(list(container.decode(video=0))) == 1

    assert flaw_of(path) == "'photo.jpg' is no sound JPEG file"


def flipped(data, seed, count=4):
    """A file with bits flipped in the middle of its coded data."""
    changed, draw = bytearray(data), np.random.default_rng(seed)
    for place in draw.integers(len(data) // 3, len(data) - 100, count):
        changed[place] ^= 1 << int(draw.integers(8))
    return bytes(changed)


@pytest.mark.parametrize("kind", ["mjpeg", "webp"])
def test_flipped_bits_that_readers_pass_over_leave_a_contradiction(kind):
    pillows = {"mjpeg": "JPEG", "webp": "WEBP"}[kind]
    data = encoded(pillows, quality=80)

    found = [contradiction_in(flipped(data, seed), kind) for seed in range(40)]

    assert sum(map(bool, found)) >= 10
    assert set(found) - {""} <= {
        "has data left over where its picture ends",
        "has blocks brighter than white or darker than black",
    }


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        *(("JPEG", {"quality": quality}) for quality in (10, 40, 75, 92, 100)),
        ("JPEG", {"subsampling": 0, "progressive": True}),
        ("JPEG", {"restart_marker_blocks": 4}),
        *(("WEBP", {"quality": quality}) for quality in (5, 50, 100)),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"exif": b"Exif\0\0" + b"a" * 60}),
    ],
)
def test_sound_files_of_hard_pictures_contradict_nothing(kind, options):
    draw = np.random.default_rng(1)
    pictures = [
        np.kron(draw.integers(0, 2, (25, 33, 3)) * 255, np.ones((8, 8, 1))),
        draw.integers(0, 256, (75, 101, 3)),
        np.full((40, 40, 3), 255),
        (photo_of("Ada").numpy() * 255).round(),
    ]
    for picture in pictures:
        for mode in ("RGB", "L"):
            buffer = io.BytesIO()
            Image.fromarray(picture.astype(np.uint8)).convert(mode).save(buffer, kind, **options)

            assert contradiction_in(buffer.getvalue(), "mjpeg" if kind == "JPEG" else "webp") == ""


def test_a_jpeg_that_goes_on_behind_its_picture_or_beyond_white_is_named(tmp_path):
    data = encoded("JPEG")
    longer = data[:-2] + data[-402:-2] + data[-2:]
    header = jpeg_header(data)
    louder = bytearray(data)
    louder[header.tables[0]] *= 9

    assert (header.height, [part[2] for part in header.components]) == (256, [0, 1, 1])
    assert "data left over" in flaw_of(written(tmp_path, longer, "longer.jpg"))
    assert "'louder.jpg' has blocks brighter" in flaw_of(written(tmp_path, bytes(louder), "louder.jpg"))


@pytest.mark.parametrize("data", [b"", b"\xff\xd8", b"\xff\xd8\xff\xc0\0\x08\x08\0", b"RIFF\0\0\0\0WEBPVP8 \xff"])
def test_a_few_bytes_contradict_nothing_and_do_no_harm(data):
    assert [contradiction_in(data, kind) for kind in ("mjpeg", "webp", "png")] == [""] * 3


def test_other_kinds_of_files_are_not_judged(tmp_path):
    with av.open(str(tmp_path / "film.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", rate=1, width=64, height=64, pix_fmt="yuv420p")
        container.mux(stream.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24")))
        container.mux(stream.encode())

    assert flaw_of(tmp_path / "film.mp4") == ""


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
    written(server.base / "input", b"\xff\xd0" + data[2:], "damaged.jpg")

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

    assert "comes from a damaged file ('damaged.jpg' is no sound JPEG file)" in run()
    assert run(damaged="take it") is None
