"""The workflows for FLUX and Qwen-Image, as they ship, two steps on tiny random models in their loaders' places."""

import json
from dataclasses import replace

import folder_paths
import pytest
import torch
from pack.attention.recipes.recipe import Routing
from pack.attention.recipes.recipe_book import RECIPE_BOOK
from pack.demo.people_by_name import photo_of
from pack.nodes import NODES
from pack.nodes.host.demo_world import load_demo_world
from pack.scripts.benches.engine.joint_models import tiny, vae_of
from pack.scripts.bootstrap.places import ROOT
from pack.tests.host import published_checkpoints as published
from pack.tests.host.refine_scene import pack_of_faces
from pack.tests.host.tiny_pulid import empty_vision_folders

FAMILIES = {
    "06 Your photos, FLUX.1 Kontext": "FLUX.1",
    "07 Your photos, FLUX.2 klein": "FLUX.2",
    "08 Your photos, Qwen-Image-Edit": "Qwen",
    "18 Into a picture, FLUX.1 Kontext": "FLUX.1",
}
PULID, INTO = "17 Your photos, FLUX.1 with PuLID", "18 Into a picture, FLUX.1 Kontext"
EVA = "EVA02_CLIP_L_336_psz14_s6B.pt"
KONTEXT_FILES = {"flux1-dev-kontext_fp8_scaled", "clip_l", "t5xxl_fp8_e4m3fn_scaled", "ae"}
LOADED = {  # what each workflow asks for, as the host's own templates do
    "06 Your photos, FLUX.1 Kontext": KONTEXT_FILES,
    INTO: KONTEXT_FILES,
    "07 Your photos, FLUX.2 klein": {"flux-2-klein-4b-fp8", "qwen_3_4b", "flux2-vae"},
    PULID: {"flux1-dev", "clip_l", "t5xxl_fp16", "ae", "pulid_flux_v0.9.1"},
    "08 Your photos, Qwen-Image-Edit": {"qwen_image_edit_2511_fp8mixed", "qwen_2.5_vl_7b_fp8_scaled", "qwen_image_vae"},
}
SAMPLERS = {**dict.fromkeys(LOADED, "KSampler"), "07 Your photos, FLUX.2 klein": "SamplerCustomAdvanced"}
SMALL = {
    "KSampler": {"steps": 2},
    "Flux2Scheduler": {"steps": 2, "width": 64, "height": 64},
    "EmptySD3LatentImage": {"width": 64, "height": 64},
    "EmptyFlux2LatentImage": {"width": 64, "height": 64},
    "Troupe_LoadAdapter": {"recogniser": "any"},
}


def read(name):
    return json.loads((ROOT / "workflows" / f"{name}.json").read_text(encoding="utf-8"))


class Graph:
    """An API prompt run node by node in this process; loaders give what they are told to."""

    def __init__(self, prompt, classes, given):
        self.prompt, self.classes, self.given, self.made = prompt, classes, given, {}

    def outputs(self, number):
        if number not in self.made:
            node = self.prompt[number]
            kind = node["class_type"]
            self.made[number] = self.given[kind](node) if kind in self.given else self._run(kind, node["inputs"])
        return self.made[number]

    def _run(self, kind, inputs):
        node = self.classes[kind]
        values = {
            name: self.outputs(value[0])[value[1]] if isinstance(value, list) else value
            for name, value in inputs.items()
        }
        out = getattr(node() if not hasattr(node, "define_schema") else node, node.FUNCTION)(**values)
        return getattr(out, "result", out)

    def result_of(self, kind):
        (number,) = [number for number, node in self.prompt.items() if node["class_type"] == kind]
        return self.outputs(number)


def parts(name):
    """What stands in the place of loaders of this workflow."""
    model = tiny(FAMILIES.get(name, "FLUX.1"))
    group = torch.cat([photo_of("Dev", 128), photo_of("Eve", 128)], 1)[None]
    pictures = {name: photo_of(name)[None] for name in ("Ada", "Ben", "Cleo")} | {"a group": group}
    clip = load_demo_world()[1]
    return {
        "UNETLoader": lambda _: (model,),
        "CLIPLoader": lambda _: (clip,),
        "DualCLIPLoader": lambda _: (clip,),
        "VAELoader": lambda _: (vae_of(model),),
        "LoadImage": lambda node: (pictures[node["inputs"]["image"]],),
        "FluxKontextImageScale": lambda _: (group,),  # to a million pixels, where a few thousand do
        "Troupe_LoadFaceEngine": lambda _: (pack_of_faces("troupe-demo"),),
    }


@pytest.fixture
def graph_of(to_api, core_nodes, monkeypatch):
    """(workflow, its pictures in order) -> its graph, apart, two steps, small; `loaded` are loaders that run."""
    monkeypatch.setitem(RECIPE_BOOK, "Troupe", replace(RECIPE_BOOK["Troupe"], routing=Routing("apart", size=64)))
    classes = {**core_nodes, **{node.GET_SCHEMA().node_id: node for node in NODES}}

    def made(name, *pictures, loaded=()):
        prompt = to_api(read(name))
        for node in prompt.values():
            node["inputs"].update(SMALL.get(node["class_type"], {}))
        loads = sorted((number for number, node in prompt.items() if node["class_type"] == "LoadImage"), key=int)
        for number, picture in zip(loads, pictures, strict=True):
            prompt[number]["inputs"]["image"] = picture
        return Graph(prompt, classes, {kind: part for kind, part in parts(name).items() if kind not in loaded})

    return made


def assert_drawn_by_photos(graphs, name):
    """That the left person is the same in both graphs, and the right one another."""
    for graph in graphs:
        picture = graph.result_of("VAEDecode")[0]
        assert picture.shape[-3:] == (64, 64, 3)
        assert picture.isfinite().all()
    one, other = (graph.result_of(SAMPLERS[name])[0]["samples"] for graph in graphs)
    left, right = (slice(0, one.shape[-1] // 2), slice(one.shape[-1] // 2, None))
    assert torch.equal(one[..., left], other[..., left])  # the same person, whoever stands beside her
    assert not torch.equal(one[..., right], other[..., right])


@pytest.mark.parametrize("name", [name for name in FAMILIES if name != INTO])
@torch.inference_mode()
def test_the_workflow_draws_two_people_each_from_their_own_photo(name, graph_of):
    assert_drawn_by_photos([graph_of(name, *photos) for photos in (("Ada", "Ben"), ("Ada", "Cleo"))], name)


@pytest.fixture
def pulid_files(tmp_path, monkeypatch):
    """FLUX.1, PuLID and EVA02-CLIP under their published names, narrow, with every published key."""
    folders = empty_vision_folders(tmp_path, monkeypatch)
    for kind in ("diffusion_models", "pulid"):
        folders[kind] = tmp_path / kind
        folders[kind].mkdir()
        monkeypatch.setitem(
            folder_paths.folder_names_and_paths, kind, ([str(folders[kind])], folder_paths.supported_pt_extensions)
        )
    published.write_flux(folders["diffusion_models"] / "flux1-dev.safetensors")
    published.write_pulid_flux(folders["pulid"] / "pulid_flux_v0.9.1.safetensors")
    published.write_eva(folders["clip_vision"] / EVA)


@torch.inference_mode()
def test_the_workflow_draws_two_people_by_pulid_from_files_under_the_published_names(graph_of, pulid_files):
    pairs = (("Ada", "Ben"), ("Ada", "Cleo"))
    assert_drawn_by_photos([graph_of(PULID, *photos, loaded=["UNETLoader"]) for photos in pairs], PULID)


@torch.inference_mode()
def test_two_people_come_into_a_picture_which_stays_as_it_is_around_them(graph_of):
    one, other = (graph_of(INTO, "Ada", photo, "a group") for photo in ("Ben", "Cleo"))
    before, kept = (one.result_of(kind)[0]["samples"] for kind in ("VAEEncode", "SetLatentNoiseMask"))
    after, with_another = (graph.result_of("KSampler")[0]["samples"] for graph in (one, other))
    mask = one.result_of("SetLatentNoiseMask")[0]["noise_mask"].reshape(1, 1, 128, 256)
    drawn = torch.nn.functional.max_pool2d(mask, 8)[0, 0] > 0
    changed = (after - before).abs().amax((0, 1)) > 1e-4 * before.abs().max()  # latents are scaled and back
    other_photo = (after - with_another).abs().amax((0, 1)) > 0
    middle = drawn.shape[1] // 2
    scores = json.loads(one.result_of("Troupe_ScoreCast")[1])

    assert scores["images"][0]["expected"] == 2
    assert torch.equal(kept, before)
    assert 0.1 < drawn.float().mean() < 0.7
    assert not changed[~torch.nn.functional.max_pool2d(drawn[None].float(), 3, 1, 1)[0].bool()].any()
    assert changed[:, :middle].any()
    assert other_photo.any()
    assert not other_photo[:, :middle].any()  # the same person, whoever comes in beside her


@pytest.mark.parametrize("name", LOADED)
def test_the_workflow_names_the_files_of_the_hosts_own_template_with_their_addresses(name):
    models = [model for node in read(name)["nodes"] for model in node["properties"].get("models", ())]

    assert {model["name"].removesuffix(".safetensors") for model in models} == LOADED[name]
    folders = {"diffusion_models", "text_encoders", "vae"} | ({"pulid"} if name == PULID else set())
    assert {model["directory"] for model in models} == folders
    assert all(model["url"].endswith(model["name"]) for model in models)
