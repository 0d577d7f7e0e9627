"""The nodes of a cast as ComfyUI sees them: their schemas, and a graph of them run by hand."""

import folder_paths
import numpy as np
import pytest
import torch
from pack.attention.recipes.recipe_book import recipe_named
from pack.face.identity import Identity
from pack.nodes import NODES, Troupe
from pack.nodes.cast.adapter_nodes import NO_FILE, LoadAdapter
from pack.nodes.cast.advanced_nodes import ApplyCastAdvanced
from pack.nodes.cast.attention_nodes import AttentionMaps, RecordAttention
from pack.nodes.cast.cast_nodes import ApplyCast, CastMember
from pack.nodes.host import model_folders
from pack.nodes.regions.region_nodes import DrawRegions
from pack.tests.host.finished import finished
from pack.tests.host.tiny_models import adapter_state, assert_different, sample, tiny_model
from safetensors.torch import save_file

# In the order that saved workflows know them by; those with a question mark are optional.
INPUTS = {
    "Troupe_LoadAdapter": "file format clip_vision? lora_strength? structure? crop? recogniser? "
    "peer_compatible? noise? method? zero_tokens? reconfigurer?",
    "Troupe_DrawRegions": "image? width height regions latent?",
    "Troupe_CastMember": "identity regions cast? prompt? adapter? region strength start? end? negative?",
    "Troupe_ApplyCast": "model cast adapter? recipe strength vae?",
    "Troupe_ApplyCastAdvanced": "model cast adapter? strength compositor start end feather hard layers photos mode "
    "base? eta? eta_end? eta_cells? background? references? reference_layers? reference_style? reference_size? reach? "
    "margin? apart_in? vae? "
    "routing? apart_until? photo_size? photo_crop? photo_place? photo_tokens? boost_end?",
    "Troupe_RecordAttention": "model",
    "Troupe_AttentionMaps": "attention samples strip layers start end images?",
}
OUTPUTS = {
    "Troupe_LoadAdapter": ["TROUPE_ADAPTER", "STRING"],
    "Troupe_DrawRegions": ["TROUPE_REGIONS", "MASK"],
    "Troupe_CastMember": ["TROUPE_CAST"],
    "Troupe_ApplyCast": ["MODEL"],
    "Troupe_ApplyCastAdvanced": ["MODEL"],
    "Troupe_RecordAttention": ["MODEL", "TROUPE_ATTENTION"],
    "Troupe_AttentionMaps": ["IMAGE", "IMAGE", "MASK"],
}
MINE = [LoadAdapter, DrawRegions, CastMember, ApplyCast, ApplyCastAdvanced, RecordAttention, AttentionMaps]


@pytest.fixture
def adapter_folder(tmp_path, monkeypatch):
    """The only folder that adapters are looked for in."""
    monkeypatch.setitem(folder_paths.folder_names_and_paths, "ipadapter", ([str(tmp_path)], set()))
    monkeypatch.setattr(model_folders, "register_model_folders", lambda: None)
    folder_paths.filename_list_cache.pop("ipadapter", None)
    yield tmp_path
    folder_paths.filename_list_cache.pop("ipadapter", None)


def identity(name, seed):
    rows = np.random.default_rng(seed).normal(size=(2, 512)).astype(np.float32)
    empty = np.zeros
    return Identity(name, {"recogniser": rows}, empty((2, 112, 112, 3), np.uint8), empty((2, 5, 2)), empty((2, 4)))


def two_sides(width=64, height=64, **more):
    """The regions and masks of Draw Regions with the text it comes with."""
    text = DrawRegions.GET_SCHEMA().inputs[3].default
    return DrawRegions.execute(width=width, height=height, regions=text, **more).args


def member(name, region, cast=None, adapter=None):
    regions, _ = two_sides()
    who = identity(name, seed=len(name))
    return CastMember.execute(
        identity=who, regions=regions, region=region, strength=1.0, cast=cast, adapter=adapter
    ).args[0]


def patch(model, cast, adapter):
    return ApplyCast.execute(model=model, cast=cast, recipe="decoupled", strength=1.0, adapter=adapter).args[0]


@pytest.mark.parametrize("node", MINE, ids=lambda node: node.__name__)
def test_inputs_and_outputs_keep_their_order_for_saved_workflows(node):
    schema = node.GET_SCHEMA()

    inputs = [entry.id + "?" * bool(entry.optional) for entry in schema.inputs]
    assert inputs == INPUTS[schema.node_id].split()
    assert [entry.get_io_type() for entry in schema.outputs] == OUTPUTS[schema.node_id]


@pytest.mark.parametrize("node", NODES, ids=lambda node: node.__name__)
def test_every_node_explains_itself_and_its_inputs(node):
    schema = node.GET_SCHEMA()

    assert schema.node_id.startswith("Troupe_")
    assert schema.category.split("/")[0] == "Troupe"
    assert schema.display_name
    assert schema.description
    assert [entry.id for entry in schema.inputs if not entry.tooltip] == []


def test_the_pack_gives_all_its_nodes_once():
    listed = finished(Troupe().get_node_list())

    ids = [node.GET_SCHEMA().node_id for node in listed]
    assert len(set(ids)) == len(ids)
    assert set(INPUTS) <= set(ids)


def test_a_graph_of_the_nodes_changes_the_picture(adapter_folder):
    save_file(adapter_state(), adapter_folder / "tiny.safetensors")
    model = tiny_model()
    adapter, *_ = LoadAdapter.execute(file="tiny.safetensors", format="auto").args
    cast = member("Robert", "right", cast=member("Ada", "left"))

    assert [person.identity.name for person in cast] == ["Ada", "Robert"]
    assert_different(sample(patch(model, cast, adapter)), sample(model))


def test_an_adapter_of_a_member_goes_before_the_casts(adapter_folder):
    for seed in (1, 2):
        save_file(adapter_state(seed=seed), adapter_folder / f"{seed}.safetensors")
    one, two = (LoadAdapter.execute(file=f"{seed}.safetensors", format="faceid").args[0] for seed in (1, 2))
    model = tiny_model()

    own = member("Ada", "left", adapter=two)
    expected = sample(patch(model, member("Ada", "left"), two))

    assert torch.equal(sample(patch(model, own, one)), expected)
    assert torch.equal(sample(patch(model, own, None)), expected)


def test_masks_have_the_size_asked_for_or_that_of_the_picture_to_draw_on():
    assert two_sides(width=96, height=64)[1].shape == (2, 64, 96)
    assert two_sides(image=torch.zeros(1, 30, 40, 3))[1].shape == (2, 30, 40)


def test_no_regions_give_one_empty_mask_that_other_nodes_can_take():
    regions, masks = DrawRegions.execute(width=8, height=4, regions='{"version": 1, "regions": []}').args

    assert regions == ()
    assert torch.equal(masks, torch.zeros(1, 4, 8))


def test_a_region_that_does_not_exist_lists_those_that_do():
    with pytest.raises(ValueError, match="no region 'middle' for 'Ada'. The regions are: 'left', 'right'"):
        member("Ada", "middle")


def test_an_unknown_recipe_lists_those_that_exist():
    with pytest.raises(ValueError, match="no recipe 'magic'. Choose one of Troupe, MultiID"):
        recipe_named("magic")


def test_an_empty_folder_is_explained_in_the_list_and_when_run(adapter_folder):
    combo = LoadAdapter.define_schema().inputs[0]

    assert combo.options == [NO_FILE]
    assert "models/ipadapter" in NO_FILE
    with pytest.raises(ValueError, match="no identity adapter to load. Put an IP-Adapter FaceID file"):
        LoadAdapter.execute(file=NO_FILE, format="auto")


def test_the_list_holds_adapter_files_only(adapter_folder):
    for name in ("b.safetensors", "a.bin", "readme.txt", "c.BIN"):
        (adapter_folder / name).touch()

    assert LoadAdapter.define_schema().inputs[0].options == ["a.bin", "b.safetensors", "c.BIN"]


def test_a_file_that_is_gone_names_the_folders_searched(adapter_folder):
    with pytest.raises(ValueError, match=f"no adapter file named 'gone.bin' was found in {adapter_folder}"):
        LoadAdapter.execute(file="gone.bin", format="auto")


def test_a_file_outside_of_the_folders_cannot_be_named(adapter_folder):
    (adapter_folder.parent / "outside.bin").touch()

    with pytest.raises(ValueError, match="no adapter file named"):
        LoadAdapter.execute(file="../outside.bin", format="auto")


def test_registering_folders_appends_and_keeps_what_another_pack_registered(monkeypatch):
    monkeypatch.setitem(folder_paths.folder_names_and_paths, "ipadapter", (["/elsewhere"], {".safetensors"}))

    for _ in range(2):
        model_folders.register_model_folders()

    paths, suffixes = folder_paths.folder_names_and_paths["ipadapter"]
    assert paths[0] == "/elsewhere"
    assert len(paths) == len(set(paths)) == 3
    assert suffixes == {".safetensors"}
