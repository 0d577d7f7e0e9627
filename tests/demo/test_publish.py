"""Which weights may ship, and which weights training may start from."""

import json

import pytest
import torch
from pack.demo.form import FORMS
from pack.demo.train import publish as module
from pack.demo.train.as_published import BEST, factor_of, rescale, times
from pack.demo.train.export import write_safetensors, write_world
from pack.demo.train.publish import WHOLE, Unpublishable, publish, table
from pack.demo.train.shipped import Shipped
from pack.scripts.bootstrap.places import ROOT
from safetensors import safe_open
from safetensors.torch import load_file

KEYS = ("ip_adapter.1.to_k_ip.weight", "ip_adapter.1.to_v_ip.weight")
SMOKE, OTHER = FORMS["smoke"], FORMS["128"]


def fill(folder, name="smoke", without=(), size=100):
    for part in set(WHOLE) - {"world.json", *without}:
        (folder / part).parent.mkdir(parents=True, exist_ok=True)
        if part in BEST:
            write_safetensors(folder / part, {key: torch.full((2, 2), 0.5) for key in KEYS}, {"recogniser": "r"})
        else:
            (folder / part).write_bytes(b"x" * size)
    if "world.json" not in without:
        write_world(folder, name, FORMS[name], {})
    return folder


def shipped_files(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_whole_world_is_copied(tmp_path):
    sizes = publish(fill(tmp_path / "run"), tmp_path / "shipped", "smoke", SMOKE)

    assert shipped_files(tmp_path / "shipped") == set(WHOLE) == set(sizes)
    assert sizes["reader.onnx"] == 100
    assert "in all" in table(sizes)


def test_a_part_goes_beside_parts_of_the_same_form(tmp_path):
    fill(tmp_path / "shipped", size=100)
    fill(tmp_path / "run", without=set(WHOLE) - {"vae.safetensors"}, size=200)

    sizes = publish(tmp_path / "run", tmp_path / "shipped", "smoke", SMOKE)

    assert sizes["vae.safetensors"] == 200 == (tmp_path / "shipped" / "vae.safetensors").stat().st_size
    assert sizes["unet.safetensors"] == 100


def test_parts_of_two_forms_do_not_ship_together(tmp_path):
    fill(tmp_path / "shipped", "128")
    fill(tmp_path / "run", without=["depth_control.safetensors"], size=200)

    with pytest.raises(Unpublishable, match="still lacks depth_control.safetensors"):
        publish(tmp_path / "run", tmp_path / "shipped", "smoke", SMOKE)

    assert (tmp_path / "shipped" / "vae.safetensors").stat().st_size == 100


def test_nothing_finished_is_said_to_be_nothing(tmp_path):
    with pytest.raises(Unpublishable, match="no finished weights"):
        publish(tmp_path / "run", tmp_path / "shipped", "smoke", SMOKE)


@pytest.mark.parametrize("limit", ["MOST_IN_ALL", "MOST_IN_A_FILE"])
def test_what_is_too_large_is_refused_as_a_whole(tmp_path, monkeypatch, limit):
    monkeypatch.setattr(module, limit, 150)
    fill(tmp_path / "run", size=160)

    with pytest.raises(Unpublishable, match="Too large to ship"):
        publish(tmp_path / "run", tmp_path / "shipped", "smoke", SMOKE)

    assert not (tmp_path / "shipped").exists()


def test_files_that_stay_count_as_well(tmp_path, monkeypatch):
    fill(tmp_path / "shipped", size=100)
    fill(tmp_path / "run", without=set(WHOLE) - {"vae.safetensors"}, size=200)
    monkeypatch.setattr(module, "MOST_IN_ALL", 1000)

    with pytest.raises(Unpublishable, match="Too large"):
        publish(tmp_path / "run", tmp_path / "shipped", "smoke", SMOKE)


def test_shipped_weights_of_the_same_form_are_found(tmp_path):
    write_world(tmp_path, "smoke", SMOKE, {})
    write_safetensors(tmp_path / "unet.safetensors", {"a": torch.ones(2)})
    write_safetensors(tmp_path / "text_encoder.safetensors", {"b": torch.ones(3)})
    shipped = Shipped(tmp_path, "smoke", SMOKE)

    assert set(shipped.state("text_to_image")) == {"unet.a", "text.b"}
    assert shipped.state("identity") is None  # the adapter is not there
    assert shipped.state("recogniser") is None
    assert shipped.recogniser() is None


def test_weights_of_another_form_are_as_good_as_not_there(tmp_path):
    write_world(tmp_path, "128", OTHER, {})
    write_safetensors(tmp_path / "vae.safetensors", {"a": torch.ones(2)})

    assert Shipped(tmp_path, "128", OTHER).state("autoencoder") is not None
    assert Shipped(tmp_path, "smoke", SMOKE).state("autoencoder") is None
    assert Shipped(tmp_path / "nowhere", "128", OTHER).state("autoencoder") is None


def test_a_world_with_other_words_is_another_one(tmp_path):
    write_world(tmp_path, "128", OTHER, {})
    facts = json.loads((tmp_path / "world.json").read_text())
    facts["words"][-1] = "tree"
    (tmp_path / "world.json").write_text(json.dumps(facts))

    assert not Shipped(tmp_path, "128", OTHER).fits


def test_adapters_ship_so_that_strength_one_is_their_best_and_keep_their_headers(tmp_path):
    publish(fill(tmp_path / "run"), tmp_path / "shipped", "smoke", SMOKE)

    for part, best in BEST.items():
        before, after = (load_file(tmp_path / folder / part) for folder in ("run", "shipped"))
        assert torch.equal(after[KEYS[0]], before[KEYS[0]])
        torch.testing.assert_close(after[KEYS[1]].float(), before[KEYS[1]].float() * best, rtol=1e-3, atol=0)
        assert (factor_of(tmp_path / "run" / part), factor_of(tmp_path / "shipped" / part)) == (1, best)
        with safe_open(tmp_path / "shipped" / part, "pt") as file:
            assert file.metadata()["recogniser"] == "r"
        again = (tmp_path / "shipped" / part).read_bytes()
        rescale(tmp_path / "shipped" / part, best)
        assert (tmp_path / "shipped" / part).read_bytes() == again
        assert factor_of(ROOT / "demo" / "weights" / part) == best


def test_training_goes_on_from_values_as_they_were_trained(tmp_path):
    folder = fill(tmp_path)
    (part,) = BEST
    trained = load_file(folder / part)[KEYS[1]].float()
    for other in ("unet.safetensors", "text_encoder.safetensors"):
        write_safetensors(folder / other, {"a": torch.ones(1)})
    rescale(folder / part, BEST[part])

    state = Shipped(folder, "smoke", SMOKE).state("identity")

    torch.testing.assert_close(state[f"adapter.{KEYS[1]}"].float(), trained, rtol=1e-3, atol=0)
    assert times({"x": trained}, 2)["x"] is trained
