"""The CLIP vision encoder of an adapter: checked and found by its shape, and named when it is the wrong one."""

import io
import json
import zipfile
from types import SimpleNamespace

import folder_paths
import pytest
import torch
from pack.nodes.host.adapters.vision_encoder import Need, shape_of
from pack.nodes.host.adapters.vision_files import EncoderShape, shape_in
from pack.nodes.host.doctor.doctor import is_trouble
from pack.nodes.host.doctor.doctor_files import encoder_lines
from pack.nodes.host.model_files import where_to_get
from pack.tests.host.tiny_adapters import EMBEDDING, HIDDEN, SIDE, tiny_of, tiny_vision
from safetensors.torch import save_file

VIT_H, BIG_G = EncoderShape(1280, 1024, 224), EncoderShape(1664, 1280, 224)
VIT_L, VIT_L_336 = EncoderShape(1024, 768, 224), EncoderShape(1024, 768, 336)


@pytest.fixture
def vision_folder(tmp_path, monkeypatch):
    """The only folder that ComfyUI looks for encoders in, empty."""
    folder = tmp_path / "clip_vision"
    folder.mkdir()
    known = folder_paths.folder_names_and_paths["clip_vision"][1]
    monkeypatch.setitem(folder_paths.folder_names_and_paths, "clip_vision", ([str(folder)], known))
    monkeypatch.setattr(folder_paths, "filename_list_cache", {})
    return folder


def write_encoder(path, hidden, embedding, side, open_clip=False):
    """A file with the few tensors that tell an encoder's shape, and no others."""
    positions = (side // 14) ** 2 + 1
    if open_clip:
        state = {"visual.class_embedding": (hidden,), "visual.conv1.weight": (hidden, 3, 14, 14)}
        state |= {"visual.positional_embedding": (positions, hidden), "visual.proj": (hidden, embedding)}
    else:
        at = "vision_model.embeddings."
        state = {f"{at}class_embedding": (hidden,), f"{at}patch_embedding.weight": (hidden, 3, 14, 14)}
        state |= {f"{at}position_embedding.weight": (positions, hidden)}
        state |= {"visual_projection.weight": (embedding, hidden)}
    save_file({key: torch.zeros(shape, dtype=torch.float16) for key, shape in state.items()}, path)


@pytest.mark.parametrize("open_clip", [False, True])
def test_the_shape_of_an_encoder_is_read_from_the_header_of_its_file(tmp_path, open_clip):
    write_encoder(tmp_path / "any.safetensors", 1280, 1024, 224, open_clip)

    assert shape_in(tmp_path / "any.safetensors") == VIT_H


@pytest.mark.parametrize(
    "content", [b"", b"\xff" * 30, (9).to_bytes(8, "little") + b'{"a": 1, ', (2).to_bytes(8, "little") + b"[]"]
)
def test_what_is_no_encoder_file_has_no_shape(tmp_path, content):
    (tmp_path / "odd.safetensors").write_bytes(content)
    (tmp_path / "odd.bin").write_bytes(content)

    assert shape_in(tmp_path / "odd.safetensors") is shape_in(tmp_path / "odd.bin") is None


@pytest.mark.parametrize(
    ("need", "fitting", "name"),
    [
        (Need("image_embeds", 1024), VIT_H, "ViT-H"),
        (Need("image_embeds", 1280), BIG_G, "ViT-bigG"),
        (Need("penultimate", 1280), VIT_H, "ViT-H"),
        (Need("penultimate", 1024, 336), VIT_L_336, "ViT-L"),
    ],
)
def test_each_published_need_is_met_by_one_published_encoder_and_names_it(need, fitting, name):
    assert [shape for shape in (VIT_H, BIG_G, VIT_L, VIT_L_336) if need.fits(shape)] == [fitting]
    assert name in str(need)


def test_the_host_tells_the_shape_of_its_own_encoders():
    assert shape_of(tiny_vision()) == EncoderShape(HIDDEN, EMBEDDING, SIDE)
    assert shape_of(SimpleNamespace()) == EncoderShape(0, 0, 0)


@pytest.mark.parametrize(("kind", "sizes"), [("ip-adapter", {"embedding": 40}), ("ip-adapter plus", {"hidden": 32})])
def test_the_wrong_encoder_is_named_with_what_was_needed(tmp_path, kind, sizes):
    with pytest.raises(
        ValueError, match=rf"{kind.replace(' ', '-')}-0.safetensors' reads .* of (48|64) numbers"
    ) as caught:
        tiny_of(kind, tmp_path, tiny_vision(**sizes))
    assert str(next(iter(sizes.values()))) in str(caught.value)
    assert "Load CLIP Vision" in str(caught.value)


def test_without_an_encoder_the_files_that_there_are_and_their_shapes_are_listed(tmp_path, vision_folder):
    write_encoder(vision_folder / "big.safetensors", 1664, 1280, 224)
    (vision_folder / "old.bin").write_bytes(b"?")

    with pytest.raises(ValueError, match="no CLIP vision encoder of that shape") as caught:
        tiny_of("ip-adapter plus", tmp_path)
    message = str(caught.value)
    assert "big.safetensors (1664 numbers per feature" in message
    assert "old.bin (not readable without loading it)" in message
    assert "models/clip_vision" in message


def deep_header() -> bytes:
    content = b"[" * 200_000
    return len(content).to_bytes(8, "little") + content


def broken_deflate() -> bytes:
    """A zip with data.pkl whose deflated bytes are no deflate."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", b"visual.blocks.0" * 500)
    content = bytearray(file.getvalue())
    content[50:60] = b"\xff" * 10
    return bytes(content)


def another_compression() -> bytes:
    content = bytearray(broken_deflate())
    for sign, at in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        content[content.index(sign) + at] = 99
    return bytes(content)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.safetensors", deep_header()),
        ("a.safetensors", b""),
        ("a.safetensors", (2).to_bytes(8, "little") + b"[]"),
        ("a.bin", broken_deflate()),
        ("a.bin", another_compression()),
    ],
)
def test_one_bad_file_among_the_encoders_is_named_and_passed_over(tmp_path, vision_folder, monkeypatch, name, content):
    (vision_folder / name).write_bytes(content)
    write_encoder(vision_folder / "b.safetensors", HIDDEN, EMBEDDING, SIDE)
    monkeypatch.setattr("comfy.clip_vision.load", lambda path: json.loads(json.dumps({"loaded": path})))

    assert tiny_of("ip-adapter plus", tmp_path).vision == {"loaded": str(vision_folder / "b.safetensors")}
    (line,) = [line for line in encoder_lines() if is_trouble(line)]
    assert line.startswith(f"{name}: ! it has ")
    (vision_folder / "b.safetensors").unlink()
    with pytest.raises(ValueError, match=f"found: {name} \\(has ") as caught:
        tiny_of("ip-adapter plus", tmp_path)
    assert str(vision_folder) in str(caught.value)


def test_an_encoder_that_breaks_while_it_is_loaded_is_passed_over(tmp_path, vision_folder, monkeypatch, caplog):
    for name in ("a.safetensors", "b.safetensors"):
        write_encoder(vision_folder / name, HIDDEN, EMBEDDING, SIDE)

    def load(path):
        if path.endswith("a.safetensors"):
            raise OSError("cut off")
        return {"loaded": path}

    monkeypatch.setattr("comfy.clip_vision.load", load)

    assert tiny_of("ip-adapter plus", tmp_path).vision == {"loaded": str(vision_folder / "b.safetensors")}
    assert "a.safetensors in models/clip_vision is passed over" in caplog.text


def test_the_encoder_that_is_missing_has_an_address():
    assert Need("penultimate", 1280).file == "CLIP-ViT-H-14-laion2B-s32B-b79K.safetensors"
    assert where_to_get(Need("penultimate", 1280).file).startswith("It goes into models/clip_vision")
    assert Need("penultimate", 7).file == ""


def test_without_an_encoder_the_first_of_the_right_shape_is_loaded(tmp_path, vision_folder, monkeypatch):
    for name, hidden in (("a.safetensors", 32), ("b.safetensors", HIDDEN), ("c.safetensors", HIDDEN)):
        write_encoder(vision_folder / name, hidden, EMBEDDING, SIDE)
    monkeypatch.setattr("comfy.clip_vision.load", lambda path: json.loads(json.dumps({"loaded": path})))

    adapter = tiny_of("ip-adapter plus", tmp_path)

    assert adapter.vision == {"loaded": str(vision_folder / "b.safetensors")}
