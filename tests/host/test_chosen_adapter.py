"""Which adapter a cast gets to which none is connected: by the files' keys, what people bring and what is installed."""

import shutil
from dataclasses import replace
from types import SimpleNamespace

import folder_paths
import numpy as np
import pytest
import torch
from pack.attention.adapters.formats import FORMATS
from pack.attention.recipes.cast import Member
from pack.attention.recipes.recipe_book import recipe_named
from pack.attention.regions.region import Region
from pack.face.identity import FaceChoice, subject_from_pictures
from pack.face.pack import content_hash
from pack.nodes.cast.adapter_nodes import LoadAdapter
from pack.nodes.cast.cast_nodes import ApplyCast
from pack.nodes.host import model_folders
from pack.nodes.host.adapters import adapter_file, adapter_outline
from pack.nodes.host.adapters.adapter_outline import adapter_outlines, outline_of
from pack.nodes.host.cast.chosen_adapter import ORDER, adapter_for
from pack.nodes.host.cast.model_patch import patch_cast
from pack.nodes.host.faces import recognisers
from pack.nodes.host.model_files import published
from pack.scripts.benches.engine.adapter_files import PUBLISHED, nested, on_meta
from pack.scripts.benches.engine.joint_models import tiny_flux
from pack.scripts.bootstrap.places import ROOT
from pack.tests.host import tiny_adapters, tiny_pulid
from pack.tests.host.tiny_models import CONTEXT, TWO, WIDTHS, apply, sample
from safetensors.torch import save_file

DEMO_PACK = ROOT / "demo" / "weights" / "insightface" / "models" / "troupe-demo"
PLAIN = recipe_named("decoupled")


@pytest.fixture
def models(tmp_path, monkeypatch):
    """Empty folders of adapters, face packs and encoders, by kind."""
    folders = {kind: tmp_path / kind for kind in (*model_folders.ADAPTER_FOLDERS, "insightface")}
    for kind, folder in folders.items():
        folder.mkdir()
        monkeypatch.setitem(folder_paths.folder_names_and_paths, kind, ([str(folder)], set()))
    monkeypatch.setattr(model_folders, "register_model_folders", lambda: None)
    (tmp_path / "seen").mkdir()
    yield folders | tiny_pulid.empty_vision_folders(tmp_path / "seen", monkeypatch)
    folder_paths.filename_list_cache.clear()


@pytest.fixture
def published_layout(monkeypatch):
    """The tiny model's layout counts as a published one, so that formats are held to their face packs."""
    monkeypatch.setattr(recognisers, "PUBLISHED_LAYOUTS", {(CONTEXT, len(WIDTHS))})


def put(models, kind, name=None, folder="ipadapter"):
    """An adapter of that format for the tiny model, in one of the folders."""
    path = models[folder] / (name or f"{kind.replace(' ', '-')}.safetensors")
    path.parent.mkdir(parents=True, exist_ok=True)
    state = tiny_pulid.pulid_state(kind) if kind.startswith("pulid") else tiny_adapters.tiny_state(kind)
    torch.save(nested(state), path) if path.suffix == ".bin" else save_file(state, path)
    folder_paths.filename_list_cache.clear()
    return path


def put_pack(models, name):
    shutil.copytree(DEMO_PACK, models["insightface"] / "models" / name)


def people(*recognisers_of):
    """Two people described by these recognisers."""
    rows = np.random.default_rng(0).standard_normal((2, 1, 512)).astype(np.float32)
    described = [dict.fromkeys(recognisers_of, rows[n]) for n in range(2)]
    made = [SimpleNamespace(name=n, embeddings=e) for n, e in zip(("Ada", "Dev"), described, strict=True)]
    return (Member(made[0], Region("l", width=0.5)), Member(made[1], Region("r", x=0.5, width=0.5)))


def by_photos(whole=False):
    photo = np.zeros((64, 64, 3), np.uint8)
    identity = replace(subject_from_pictures("Ada", [photo]), choice=FaceChoice((None,), ("a.png",), whole))
    return (Member(identity, Region("l")),)


def chosen(model, cast, recipe=PLAIN):
    return adapter_for(model, cast, None, recipe, 1.0)


@pytest.mark.parametrize("name", PUBLISHED)
@pytest.mark.parametrize("suffix", [".safetensors", ".bin"])
def test_every_published_file_is_known_by_its_keys_without_a_tensor_read(tmp_path, name, suffix, monkeypatch):
    shapes = PUBLISHED[name].shapes()
    path = tmp_path / f"renamed{suffix}"
    if suffix == ".bin":
        state = {key: torch.empty(1, dtype=torch.float16).expand(shape) for key, shape in shapes.items()}
        torch.save(nested(state), path)
    else:
        from pack.tests.host.published_checkpoints import header_of

        path.write_bytes(header_of(shapes))
    monkeypatch.setattr(torch.Tensor, "float", lambda *_: pytest.fail("numbers were read"))

    outline = outline_of(path, path.name)

    assert (outline.spec.kind, outline.spec.tokens) == (PUBLISHED[name].kind, PUBLISHED[name].tokens)
    assert outline.spec.layer_widths == tuple(PUBLISHED[name].widths)


def test_a_folder_of_files_is_read_once_and_a_changed_file_again(models, monkeypatch):
    paths = [put(models, "faceid", f"{n}.safetensors") for n in range(3)]
    adapter_outlines()
    read = []
    original = adapter_outline.read_adapter
    monkeypatch.setattr(adapter_outline, "read_adapter", lambda *given: read.append(1) or original(*given))

    adapter_outlines()
    assert not read
    put(models, "instantid", paths[1].name)
    kinds = [outline.spec.kind for outline in adapter_outlines()]

    assert len(read) == 1
    assert kinds[0] == kinds[2] == "faceid"
    assert kinds[1].startswith("faceid portrait")


def test_names_and_folders_decide_only_what_keys_leave_open(models):
    wanted = {
        put(models, "instantid", "ip-adapter.bin", "instantid"): "instantid",
        put(models, "instantid", "mine_instant_id.safetensors"): "instantid",
        put(models, "instantid", "portrait.safetensors"): "faceid portrait unnorm",
        put(models, "faceid", "instantid-not.safetensors"): "faceid",
        put(models, "faceid plus", "ip-adapter-faceid-plus_sd15.bin"): "faceid plus",
        put(models, "faceid plus", "plus-of-mine.bin"): "faceid plus v2",
    }
    for path, kind in wanted.items():
        assert outline_of(path, path.name).spec.kind == kind
    face = put(models, "ip-adapter plus", "ip-adapter-plus-face_sd15.safetensors")
    assert outline_of(face, face.name).settings.crop == "face"


@pytest.mark.usefixtures("published_layout")
def test_the_first_of_the_order_that_has_all_it_needs_is_taken(model, models):
    put(models, "faceid")
    put(models, "instantid", "ip-adapter.safetensors", "instantid")
    put(models, "pulid", "pulid.bin", "pulid")
    both = people(tiny_adapters.BUFFALO, tiny_adapters.ANTELOPE)

    for known, kind in ((both, "instantid"), (people(tiny_adapters.BUFFALO), "faceid")):
        found = chosen(model, known)
        assert found.adapter.spec.kind == kind
        assert found.adapter.name in found.lines[0]
    assert any("pulid.bin" in line and "EVA02" not in line for line in found.lines)  # its faces are missing first
    faces = [kind for kind in ORDER if FORMATS[kind].face]
    assert list(ORDER[: len(faces)]) == faces  # those that read faces come before those that read pictures
    assert set(ORDER) == set(FORMATS)


@pytest.mark.usefixtures("published_layout")
def test_photos_alone_get_the_installed_pack_that_the_file_was_trained_with(model, models):
    put(models, "instantid", "ip-adapter.safetensors", "instantid")
    put(models, "faceid")
    put_pack(models, "buffalo_l")

    found = chosen(model, by_photos())

    assert found.adapter.spec.kind == "faceid"
    assert "buffalo_l" in found.lines[1]
    assert "needs the face pack antelopev2, which is not there" in found.lines[2]


def test_an_encoder_that_is_missing_passes_a_file_over_and_is_named(model, models):
    put(models, "faceid plus", "plus.safetensors")
    with pytest.raises(ValueError, match=r"plus.safetensors fits, but sees pictures through .*, which is not there"):
        apply(model, people("only"))
    put(models, "faceid")

    found = chosen(model, people("only"))

    assert found.adapter.spec.kind == "faceid"
    assert "Passed over: plus.safetensors sees pictures through" in found.lines[-1]


def test_pulid_is_taken_with_its_encoder_and_a_method_that_the_recipe_takes(model, models):
    put(models, "pulid", "pulid.bin", "pulid")
    torch.save(tiny_pulid.eva_state(), models["clip"] / "eva.pt")
    for mode, method in (("decoupled", "fidelity"), ("masked", "neutral")):
        found = chosen(model, people("only"), recipe_named(mode))
        assert found.adapter.settings.method == method
        assert "eva.pt" in " ".join(found.lines)


@pytest.mark.usefixtures("published_layout")
def test_where_nothing_fits_files_folders_and_addresses_are_named(model, models, monkeypatch):
    save_file(on_meta_like("ip-adapter-faceid_sd15"), models["ipadapter"] / "other-model.safetensors")
    (models["ipadapter"] / "broken.safetensors").write_bytes(b"cut")
    folder_paths.filename_list_cache.clear()
    from pack.nodes.host.cast import chosen_adapter

    wanted = ("ip-adapter-faceid_sd15.bin", "buffalo_l")
    monkeypatch.setattr(chosen_adapter, "FIRST_FILES", {(CONTEXT, len(WIDTHS)): wanted})

    with pytest.raises(ValueError, match="can draw 'Ada' and 'Bob' with this model") as caught:
        patch_cast(model, TWO, None, PLAIN, 1.0)

    said = str(caught.value)
    for part in ("other-model.safetensors (for another model)", "broken.safetensors (it has no readable header"):
        assert part in said
    for name in wanted:
        assert f"models/{published(name).folder}" in said
        assert published(name).address in said


def on_meta_like(name):
    shapes = {key: value.shape for key, value in on_meta(PUBLISHED[name].shapes()).items() if "lora" not in key}
    return {key: torch.zeros(shape, dtype=torch.float16) for key, shape in shapes.items()}


def test_a_connected_adapter_and_a_silent_cast_look_at_no_file(model, adapter, monkeypatch):
    from pack.nodes.host.cast import chosen_adapter

    monkeypatch.setattr(chosen_adapter, "adapter_outlines", lambda: pytest.fail("files were looked at"))
    own = tuple(replace(member, adapter=adapter) for member in TWO)
    silent = tuple(replace(member, strength=0.0) for member in TWO)

    for cast, given, strength in ((TWO, adapter, 1.0), (own, None, 1.0), (TWO, None, 0.0), (silent, None, 1.0)):
        found = adapter_for(model, cast, given, PLAIN, strength)
        assert found.adapter is given
        assert not found.lines
    assert not ApplyCast.execute(model, TWO, "decoupled", 1.0, adapter).ui


def test_the_chosen_adapter_draws_what_the_connected_one_draws_and_is_loaded_once(model, models, monkeypatch):
    path = put(models, "faceid")
    connected = LoadAdapter.execute(path.name, "auto").args[0]
    loads = []
    from pack.nodes.host.cast import chosen_adapter

    original = chosen_adapter.load_adapter
    monkeypatch.setattr(chosen_adapter, "load_adapter", lambda *given: loads.append(1) or original(*given))

    result = ApplyCast.execute(model, TWO, "decoupled", 0.8)
    again = ApplyCast.execute(model, TWO, "decoupled", 0.7)

    assert loads == [1]
    assert torch.equal(sample(result.args[0]), sample(apply(model, TWO, connected, 0.8)))
    assert path.name in str(result.ui.as_dict())
    assert again.args[0] is not model


def test_the_published_file_of_instantid_is_known_by_its_content(models, monkeypatch):
    path = put(models, "instantid", "anything.safetensors")
    content = path.read_bytes()
    import hashlib

    digest = hashlib.sha256(content).hexdigest()
    monkeypatch.setattr(adapter_file, "PUBLISHED", {len(content): (digest, "instantid")})
    assert outline_of(path, "anything again").spec.kind == "instantid"


def test_the_demos_files_name_the_pack_that_is_found_for_photos():
    path = ROOT / "demo" / "weights" / "ipadapter" / "troupe-demo-faceid.safetensors"
    assert outline_of(path, path.name).packs == ("troupe-demo",)
    assert content_hash(DEMO_PACK / "recogniser.onnx") in recognisers.PUBLISHED


def test_flux_takes_pulid_where_no_vae_encodes_photos_and_stays_as_it_was_where_one_does(models):
    flux = tiny_flux("FLUX.1", depth=(3, 5))
    who = tiny_adapters.photographed("Ada", 1, photos=1, recogniser=tiny_adapters.ANTELOPE)
    cast = (Member(who, Region("left", width=0.5)),)
    put(models, "faceid")
    assert chosen(flux, cast).adapter is None
    with pytest.raises(ValueError, match="takes people from their photos, which have to be encoded first"):
        patch_cast(flux, cast, None, recipe_named("Troupe"), 1.0)
    put(models, "pulid flux", "pulid_flux.bin", "pulid")
    torch.save(tiny_pulid.eva_state(), models["clip"] / "eva.pt")

    found = chosen(flux, cast)

    assert found.adapter.spec.kind == "pulid flux"
    assert found.adapter.settings.method == "fidelity"
    assert "pulid_flux.bin" in found.lines[0]
    assert adapter_for(flux, cast, None, PLAIN, 1.0, vae=object()).adapter is None
    assert patch_cast(flux, cast, None, recipe_named("Troupe"), 1.0) is not flux
