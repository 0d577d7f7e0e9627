"""Adapter files, good and bad, through the host's own loader: one clear sentence each, and no code is ever run."""

import os
import pickle
import zipfile

import pytest
import torch
from pack.attention.recipes.cast import Member
from pack.nodes.host.adapters.adapter_group import faces_of, inputs_of
from pack.nodes.host.adapters.adapter_model import load_adapter
from pack.nodes.host.adapters.eva_encoder import load_eva
from pack.nodes.host.adapters.file_faults import swelling_of
from pack.nodes.host.model.blocks import cross_attention_blocks
from pack.tests.host.tiny_models import (
    ADA,
    ADAPTER_LAYERS,
    EVERYWHERE,
    TWO,
    WIDTHS,
    adapter_state,
    apply,
    person,
    sample,
    tiny_adapter,
    tiny_model,
)
from safetensors.torch import save_file


def nested(state):
    parts = {"image_proj": {}, "ip_adapter": {}}
    for key, value in state.items():
        part, _, rest = key.partition(".")
        parts[part][rest] = value
    return parts


def test_both_file_layouts_give_the_same_adapter(model, tmp_path):
    state = {key: value.half() for key, value in adapter_state().items()}
    save_file(state, tmp_path / "flat.safetensors")
    torch.save(nested(state), tmp_path / "nested.bin")

    flat, pickled = (load_adapter(tmp_path / name, name) for name in ("flat.safetensors", "nested.bin"))

    assert flat.spec == pickled.spec
    assert flat.spec.layer_widths == tuple(WIDTHS)
    assert next(flat.module.parameters()).dtype == torch.float16
    pictures = [sample(apply(model, [Member(ADA, EVERYWHERE)], adapter)) for adapter in (flat, pickled)]
    assert torch.equal(*pictures)


def test_the_format_does_not_depend_on_the_files_name(tmp_path):
    save_file(adapter_state(tokens=16), tmp_path / "ip-adapter-plus_sdxl_vit-h.safetensors")

    loaded = load_adapter(tmp_path / "ip-adapter-plus_sdxl_vit-h.safetensors", "renamed")

    assert (loaded.spec.kind, loaded.spec.tokens) == ("faceid", 16)


class Bomb:
    """A pickle of this creates a folder when it is loaded without care."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("protocol", [2, 4])
def test_a_pickle_that_would_run_code_does_not_run_it(tmp_path, protocol):
    trap = tmp_path / "sprung"
    (tmp_path / "bomb.bin").write_bytes(pickle.dumps({"image_proj": Bomb(trap)}, protocol=protocol))
    torch.save({"image_proj": {}, "ip_adapter": Bomb(trap)}, tmp_path / "zipped.bin")

    for name in ("bomb.bin", "zipped.bin"):
        with pytest.raises(ValueError, match=f"'{name}' was not loaded.*holds code that would run"):
            load_adapter(tmp_path / name, name)
    assert not trap.exists()


def cut(path, size):
    path.write_bytes(path.read_bytes()[:size])


@pytest.mark.parametrize("size", [0, 4, 100, 5000])
def test_a_file_that_was_cut_off_says_so(tmp_path, size):
    save_file(adapter_state(), tmp_path / "cut.safetensors")
    torch.save(nested(adapter_state()), tmp_path / "cut.bin")
    for name in ("cut.safetensors", "cut.bin"):
        cut(tmp_path / name, size)
        with pytest.raises(ValueError, match=f"'{name}' (cannot be read|was not loaded)") as caught:
            load_adapter(tmp_path / name, name)
        assert "download it again" in str(caught.value).lower()
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [("picture.safetensors", b"\x89PNG\r\n\x1a\n" + b"0" * 500), ("page.bin", b"<!DOCTYPE html><html>" * 50)],
)
def test_a_file_of_another_kind_is_refused(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)

    with pytest.raises(ValueError, match=f"'{name}'"):
        load_adapter(tmp_path / name, name)


@pytest.mark.parametrize("value", [torch.zeros(3), [1, 2], {}, {"a": 1}, {3: torch.zeros(1)}])
def test_a_pickle_of_something_else_is_refused(tmp_path, value):
    torch.save(value, tmp_path / "odd.bin")

    with pytest.raises(ValueError, match=r"adapter file 'odd.bin' (cannot be|holds)"):
        load_adapter(tmp_path / "odd.bin", "odd.bin")


def test_another_kind_of_weights_is_named(tmp_path):
    save_file({"lora_unet_x.lora_down.weight": torch.zeros(2, 2)}, tmp_path / "style.safetensors")

    with pytest.raises(ValueError, match=r"'style.safetensors' cannot be used: it looks like a LoRA"):
        load_adapter(tmp_path / "style.safetensors", "style.safetensors")


def test_the_layers_of_a_model_are_found_in_the_order_of_adapter_files(model):
    blocks = cross_attention_blocks(model)

    assert [block.key for block in blocks] == ADAPTER_LAYERS
    assert [block.width for block in blocks] == WIDTHS
    assert {block.context for block in blocks} == {64}
    assert [block.level for block in blocks] == [0, 0, 1, 1, 2, 2, 2, 2, 2, 1, 1, 1, 0, 0, 0, 3]


def test_the_layers_of_a_deep_model_are_found_in_the_order_of_adapter_files():
    deep = tiny_model(
        channel_mult=[1, 2, 4],
        num_res_blocks=[2, 2, 2],
        transformer_depth=[0, 0, 2, 2, 3, 3],
        transformer_depth_output=[0, 0, 0, 2, 2, 2, 3, 3, 3],
        transformer_depth_middle=3,
    )
    blocks = cross_attention_blocks(deep)

    expected = [("input", block, i) for block, depth in ((4, 2), (5, 2), (7, 3), (8, 3)) for i in range(depth)]
    expected += [("output", block, i) for block in range(6) for i in range(3 if block < 3 else 2)]
    expected += [("middle", 0, i) for i in range(3)]
    assert [block.key for block in blocks] == expected  # SDXL's order, with 3 where SDXL has 10
    assert {block.level for block in blocks} == {1, 2}


@pytest.mark.parametrize(
    "shape", [{"cross": 96}, {"widths": WIDTHS[:-1]}, {"widths": [*WIDTHS[:-1], 64]}], ids=["tokens", "count", "width"]
)
def test_an_adapter_for_another_model_is_named_with_both_layouts(model, tmp_path, shape):
    adapter = tiny_adapter(tmp_path, **shape)

    with pytest.raises(
        ValueError, match=r"'tiny-0.safetensors' does not fit this model.*the model has 16 cross"
    ) as caught:
        apply(model, TWO, adapter)
    assert str(shape.get("cross", 64)) in str(caught.value)


def test_a_model_of_another_family_is_named(model, tmp_path):
    class Other(torch.nn.Module):
        pass

    other = model.clone()
    other.model = Other()
    other.model.diffusion_model = Other()

    with pytest.raises(ValueError, match="this model is a Other"):
        cross_attention_blocks(other)


def test_a_member_without_any_adapter_is_named(model):
    with pytest.raises(ValueError, match="no adapter is connected, and no file found can draw 'Ada' and 'Bob'"):
        apply(model, TWO)


def test_the_only_fitting_recogniser_feeds_the_adapter(tmp_path):
    adapter = tiny_adapter(tmp_path)
    two = person("Eve", 31)
    two.embeddings["small"] = two.embeddings["only"][:, :128]

    embedding = inputs_of(two, adapter, "average").faces

    torch.testing.assert_close(embedding, inputs_of(person("Eve", 31), adapter, "average").faces)
    assert embedding.norm().item() == pytest.approx(1)


def test_identities_that_leave_a_choice_or_none_are_refused(tmp_path):
    adapter = tiny_adapter(tmp_path)
    small = person("Eve", 31)
    small.embeddings["only"] = small.embeddings["only"][:, :128]

    with pytest.raises(ValueError, match="'Eve' was described by 2 recognisers"):
        faces_of(person("Eve", 31, recognisers=("a", "b")), adapter)
    with pytest.raises(ValueError, match="512 numbers, and identity 'Eve' has 128 numbers from recogniser only"):
        faces_of(small, adapter)


@pytest.mark.parametrize("read", [lambda path: load_adapter(path, path.name), lambda path: load_eva(path, path.name)])
def test_a_small_file_that_would_fill_the_memory_is_refused_by_its_table_of_contents(tmp_path, read):
    """A zip of a few hundred kilobytes that promises 300 MB."""
    torch.save({"image_proj": {"proj.0.weight": torch.zeros(1)}}, tmp_path / "whole.bin")
    with zipfile.ZipFile(tmp_path / "whole.bin") as whole, zipfile.ZipFile(tmp_path / "bomb.bin", "w", 8) as bomb:
        for entry in whole.infolist():
            content = whole.read(entry)
            bomb.writestr(entry.filename, b"\0" * 300_000_000 if "/data/" in entry.filename else content)
    assert (tmp_path / "bomb.bin").stat().st_size < 1_000_000

    with pytest.raises(ValueError, match="'bomb.bin' was not loaded: it has 0.3 MB and would unpack to 300 MB"):
        read(tmp_path / "bomb.bin")
    assert swelling_of(tmp_path / "whole.bin") == ""
