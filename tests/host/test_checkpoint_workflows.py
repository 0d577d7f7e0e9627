"""The workflows for real checkpoints, a step each on random ones with the published keys under the published names."""

import io
import json
import shutil

import numpy as np
import pytest
from pack.demo.people_by_name import photo_of
from pack.scripts.benches.engine.adapter_files import PUBLISHED
from pack.scripts.bootstrap.places import ROOT
from pack.tests.host import published_checkpoints as published
from PIL import Image

VIT_H = "CLIP-ViT-H-14-laion2B-s32B-b79K.safetensors"
EVA = "EVA02_CLIP_L_336_psz14_s6B.pt"
WRITERS = {
    "v1-5-pruned-emaonly-fp16.safetensors": ("checkpoints", published.write_sd15),
    "sd_xl_base_1.0.safetensors": ("checkpoints", published.write_sdxl),
    "diffusion_pytorch_model.safetensors": ("controlnet", published.write_sdxl_control),
    VIT_H: ("clip_vision", published.write_vit_h),
    EVA: ("clip_vision", published.write_eva),
    "ip-adapter_pulid_sdxl_fp16.safetensors": ("pulid", published.write_pulid),
}
NEEDS = {
    "15 Your photos, wired by hand": (
        "v1-5-pruned-emaonly-fp16.safetensors",
        VIT_H,
        "ip-adapter-faceid-plusv2_sd15.bin",
    ),
    "03 Your photos, SDXL with FaceID": ("sd_xl_base_1.0.safetensors", "ip-adapter-faceid_sdxl.bin"),
    "04 Your photos, SDXL with InstantID": (
        "sd_xl_base_1.0.safetensors",
        "diffusion_pytorch_model.safetensors",
        "ip-adapter.bin",
    ),
    "05 Your photos, SDXL with PuLID": ("sd_xl_base_1.0.safetensors", EVA, "ip-adapter_pulid_sdxl_fp16.safetensors"),
    "09 Three subjects, SDXL": ("sd_xl_base_1.0.safetensors", VIT_H, "ip-adapter-plus_sdxl_vit-h.safetensors"),
}
PACKS = ("buffalo_l", "antelopev2")
ACTING = ("Troupe_ApplyCast", "Troupe_ApplyIdentityNet")  # of strength 0, each leaves a picture without it
PIXELS = 64


@pytest.fixture(scope="module")
def models(server):
    """Put a file into the server's folder of models; all are taken away again in the end."""
    written = []

    def put(name):
        folder, write = WRITERS.get(name, ("ipadapter", None))
        path = server.base / "models" / folder / name
        if path not in written:
            path.parent.mkdir(parents=True, exist_ok=True)
            write(path) if write else published.write_adapter(path, PUBLISHED[path.stem])
            written.append(path)

    packs = [server.base / "models" / "insightface" / "models" / name for name in PACKS]
    for pack in packs:  # the demo's, under the published names
        shutil.copytree(ROOT / "demo" / "weights" / "insightface" / "models" / "troupe-demo", pack)
    photo = (photo_of("Ada") * 255).round().byte().numpy()
    Image.fromarray(photo).save(server.base / "input" / "example.png")
    yield put
    for path in written:
        path.unlink()
    for pack in packs:
        shutil.rmtree(pack)
    server.free()


def small(prompt: dict) -> dict:
    """One step at a size that takes seconds, with the demo's recogniser in place of buffalo_l's."""
    changes = {
        "KSampler": {"steps": 1},
        "EmptyLatentImage": {"width": PIXELS, "height": PIXELS},
        "Troupe_LoadAdapter": {"recogniser": "any"},
    }
    for node in prompt.values():
        node["inputs"].update(changes.get(node["class_type"], {}))
    return prompt


def picture(server, prompt: dict) -> np.ndarray:
    entry = server.post_prompt(prompt)
    (saved,) = [number for number, node in prompt.items() if node["class_type"] == "SaveImage"]
    (file,) = server.images(entry, saved)
    return np.asarray(Image.open(io.BytesIO(file)).convert("RGB")).astype(int)


@pytest.mark.parametrize("name", NEEDS)
def test_the_workflow_runs_with_the_published_files(server, models, name):
    for file in NEEDS[name]:
        models(file)
    prompt = small(server.to_api(json.loads((ROOT / "workflows" / f"{name}.json").read_text(encoding="utf-8"))))

    whole = picture(server, prompt)
    assert whole.shape == (PIXELS, PIXELS, 3)
    assert whole.std() > 1
    for node in [node for node in prompt.values() if node["class_type"] in ACTING]:
        node["inputs"]["strength"] = 0.0
        less = picture(server, prompt)
        assert np.abs(whole - less).mean() > 0.5
        whole = less
