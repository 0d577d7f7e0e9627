"""Published model files: what each is for, its folder, and an address that was read where `source` says, never guessed.

The tables in README and docs/model-files.md, the Doctor and messages about missing files are made from this one list.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

HUB = "https://huggingface.co"
IP_ADAPTER = f"{HUB}/h94/IP-Adapter/resolve/main"
FACEID = f"{HUB}/h94/IP-Adapter-FaceID/resolve/main"
INSIGHTFACE = "https://github.com/deepinsight/insightface/releases/download/model-zoo"

# Where addresses were read.
IPADAPTER_PLUS = "README of cubiq/ComfyUI_IPAdapter_plus"
INSTANTID_PACK = "README of cubiq/ComfyUI_InstantID"
PULID_PACK = "README of cubiq/PuLID_ComfyUI"
PULID_PACK_CODE = "eva_clip/pretrained.py of cubiq/PuLID_ComfyUI"
PULID_AUTHORS = "pipeline_v1_1.py of ToTheBeginning/PuLID"
PULID_FLUX_AUTHORS = "pipeline_flux.py of ToTheBeginning/PuLID"
PULID_FLUX_PAGE = "the page FLUX PuLID of ComfyUI-nunchaku's documentation"
INSIGHTFACE_CODE = "utils/storage.py of the package insightface 2.1"
TEMPLATES = "the package comfyui-workflow-templates"

# Names that ControlNets of every publisher have: one counts only where a folder says whose it is.
ANYBODYS = {"diffusion_pytorch_model.safetensors": "instant"}
RESEARCH = "InsightFace: non-commercial research only"
APACHE, MIT, OPENRAIL = "Apache-2.0", "MIT", "OpenRAIL"
FACES_RESEARCH = "inherits InsightFace's"


@dataclass(frozen=True)
class ModelFile:
    """One published file, or a face pack.

    name      : as the packs that read it, or its publisher, call it; may hold a folder
    folder    : below ComfyUI's `models`
    address   : where it can be had
    source    : where that address was read
    purpose   : what it is for
    licence   : of the weights
    size      : in megabytes of a million bytes, 0 where it is not known
    names     : under which it lies on other disks, or is published as well
    read_also : further folders below `models` in which this pack finds it
    everyday  : whether README lists it
    """

    name: str
    folder: str
    address: str
    source: str
    purpose: str
    licence: str
    size: int = 0
    names: tuple[str, ...] = ()
    read_also: tuple[str, ...] = ()
    everyday: bool = False


def _plus(name: str, purpose: str, base: str = "models", size: int = 0, everyday: bool = False) -> ModelFile:
    address = f"{IP_ADAPTER}/{base}/{name}"
    return ModelFile(name, "ipadapter", address, IPADAPTER_PLUS, purpose, APACHE, size, everyday=everyday)


def _faceid(name: str, purpose: str, size: int = 0, everyday: bool = False) -> ModelFile:
    address = f"{FACEID}/{name}"
    return ModelFile(name, "ipadapter", address, IPADAPTER_PLUS, purpose, FACES_RESEARCH, size, everyday=everyday)


def _packaged(place: str, repository: str, purpose: str, licence: str) -> ModelFile:
    """A file that ComfyUI's publisher packages anew, in a folder per kind."""
    folder, name = place.split("/")
    address = f"{HUB}/Comfy-Org/{repository}/resolve/main/split_files/{place}"
    return ModelFile(name, folder, address, TEMPLATES, purpose, licence)


FACE_PACKS = (
    ModelFile(
        "buffalo_l", "insightface/models", f"{INSIGHTFACE}/buffalo_l.zip", INSIGHTFACE_CODE,
        "faces for IP-Adapter FaceID", RESEARCH, 342, everyday=True,
    ),
    ModelFile(
        "antelopev2", "insightface/models", f"{INSIGHTFACE}/antelopev2.zip", INSIGHTFACE_CODE,
        "faces for InstantID, PuLID and Kolors", RESEARCH, 427, everyday=True,
    ),
)  # fmt: skip
ENCODERS = (
    ModelFile(
        "CLIP-ViT-H-14-laion2B-s32B-b79K.safetensors", "clip_vision",
        f"{IP_ADAPTER}/models/image_encoder/model.safetensors", IPADAPTER_PLUS,
        "what plus files and FaceID-plus see the picture with; found by its shape under any name", MIT, 2500,
        names=("clip_vision_h.safetensors", "IPAdapter_image_encoder_sd15.safetensors"), everyday=True,
    ),
    ModelFile(
        "CLIP-ViT-bigG-14-laion2B-39B-b160k.safetensors", "clip_vision",
        f"{IP_ADAPTER}/sdxl_models/image_encoder/model.safetensors", IPADAPTER_PLUS,
        "what vit-G files see the picture with", MIT,
    ),
    ModelFile(
        "clip-vit-large-patch14-336.bin", "clip_vision",
        f"{HUB}/Kwai-Kolors/Kolors-IP-Adapter-Plus/resolve/main/image_encoder/pytorch_model.bin", IPADAPTER_PLUS,
        "what Kolors' adapters see the picture with", MIT,
    ),
    ModelFile(
        "EVA02_CLIP_L_336_psz14_s6B.pt", "clip_vision",
        f"{HUB}/QuanSun/EVA-CLIP/resolve/main/EVA02_CLIP_L_336_psz14_s6B.pt", PULID_PACK_CODE,
        "what PuLID sees a face with; found by its keys, in Hugging Face's cache too", MIT, 856,
        read_also=("clip", "text_encoders"), everyday=True,
    ),
)  # fmt: skip
ADAPTERS = (
    _faceid("ip-adapter-faceid_sd15.bin", "identity adapter for SD1.5", 97, everyday=True),
    _faceid("ip-adapter-faceid-plusv2_sd15.bin", "the same, looks at the photo too", 157, everyday=True),
    _faceid("ip-adapter-faceid_sdxl.bin", "identity adapter for SDXL", 1100, everyday=True),
    _faceid("ip-adapter-faceid-plusv2_sdxl.bin", "the same, looks at the photo too"),
    _faceid("ip-adapter-faceid-plus_sd15.bin", "the first FaceID-plus; set format to 'faceid plus'"),
    _faceid("ip-adapter-faceid-portrait-v11_sd15.bin", "portraits, SD1.5"),
    _faceid("ip-adapter-faceid-portrait_sd15.bin", "portraits, SD1.5, first version"),
    _faceid("ip-adapter-faceid-portrait_sdxl.bin", "portraits, SDXL"),
    _faceid("ip-adapter-faceid-portrait_sdxl_unnorm.bin", "portraits, SDXL, very strong"),
    _plus("ip-adapter_sd15.safetensors", "any subject, SD1.5"),
    _plus("ip-adapter_sd15_light_v11.bin", "any subject, SD1.5, light"),
    _plus("ip-adapter-plus_sd15.safetensors", "any subject, SD1.5, strong"),
    _plus("ip-adapter-plus-face_sd15.safetensors", "faces, SD1.5; set crop to 'face'"),
    _plus("ip-adapter-full-face_sd15.safetensors", "faces, SD1.5"),
    _plus("ip-adapter_sd15_vit-G.safetensors", "any subject, SD1.5, by ViT-bigG"),
    _plus("ip-adapter_sdxl_vit-h.safetensors", "any subject, SDXL", "sdxl_models"),
    _plus("ip-adapter-plus_sdxl_vit-h.safetensors", "any subject, SDXL", "sdxl_models", 848, everyday=True),
    _plus("ip-adapter-plus-face_sdxl_vit-h.safetensors", "faces, SDXL; set crop to 'face'", "sdxl_models"),
    _plus("ip-adapter_sdxl.safetensors", "any subject, SDXL, by ViT-bigG", "sdxl_models"),
    ModelFile(
        "Kolors-IP-Adapter-Plus.bin", "ipadapter",
        f"{HUB}/Kwai-Kolors/Kolors-IP-Adapter-Plus/resolve/main/ip_adapter_plus_general.bin", IPADAPTER_PLUS,
        "any subject, Kolors", "Kolors' own",
    ),
    ModelFile(
        "Kolors-IP-Adapter-FaceID-Plus.bin", "ipadapter",
        f"{HUB}/Kwai-Kolors/Kolors-IP-Adapter-FaceID-Plus/resolve/main/ipa-faceid-plus.bin", IPADAPTER_PLUS,
        "identity adapter for Kolors", "Kolors' own; its faces InsightFace's",
    ),
    ModelFile(
        "ip-adapter.bin", "instantid", f"{HUB}/InstantX/InstantID/resolve/main/ip-adapter.bin", INSTANTID_PACK,
        "InstantID's adapter for SDXL", "for research, its README says; its faces InsightFace's", 1700,
        names=("instantid-ip-adapter.bin", "ip-adapter_instant_id_sdxl.bin"), read_also=("ipadapter",), everyday=True,
    ),
    ModelFile(
        "ip-adapter_pulid_sdxl_fp16.safetensors", "pulid",
        f"{HUB}/huchenlei/ipadapter_pulid/resolve/main/ip-adapter_pulid_sdxl_fp16.safetensors", PULID_PACK,
        "PuLID v1 for SDXL", "Apache-2.0; its faces InsightFace's", 792, read_also=("ipadapter",), everyday=True,
    ),
    ModelFile(
        "pulid_v1.1.safetensors", "pulid", f"{HUB}/guozinan/PuLID/resolve/main/pulid_v1.1.safetensors", PULID_AUTHORS,
        "PuLID v1.1 for SDXL", "Apache-2.0; its faces InsightFace's", 984, read_also=("ipadapter",),
    ),
    ModelFile(
        "pulid_flux_v0.9.1.safetensors", "pulid", f"{HUB}/guozinan/PuLID/resolve/main/pulid_flux_v0.9.1.safetensors",
        PULID_FLUX_PAGE, "PuLID for FLUX.1", "Apache-2.0; its faces InsightFace's", read_also=("ipadapter",),
    ),
    ModelFile(
        "pulid_flux_v0.9.0.safetensors", "pulid", f"{HUB}/guozinan/PuLID/resolve/main/pulid_flux_v0.9.0.safetensors",
        PULID_FLUX_AUTHORS, "PuLID for FLUX.1, first version: less like the person, its authors say",
        "Apache-2.0; its faces InsightFace's", read_also=("ipadapter",),
    ),
)  # fmt: skip
CONTROL_NETS = (
    ModelFile(
        "diffusion_pytorch_model.safetensors", "controlnet",
        f"{HUB}/InstantX/InstantID/resolve/main/ControlNetModel/diffusion_pytorch_model.safetensors", INSTANTID_PACK,
        "InstantID's ControlNet (IdentityNet)", "for research, its README says; its faces InsightFace's", 2500,
        names=("instantid-controlnet.safetensors", "control_instant_id_sdxl.safetensors"),
        everyday=True,
    ),
)  # fmt: skip
CHECKPOINTS = (
    ModelFile(
        "v1-5-pruned-emaonly-fp16.safetensors", "checkpoints",
        f"{HUB}/Comfy-Org/stable-diffusion-v1-5-archive/resolve/main/v1-5-pruned-emaonly-fp16.safetensors", TEMPLATES,
        "Stable Diffusion 1.5", OPENRAIL,
    ),
    ModelFile(
        "sd_xl_base_1.0.safetensors", "checkpoints",
        f"{HUB}/stabilityai/stable-diffusion-xl-base-1.0/resolve/main/sd_xl_base_1.0.safetensors", TEMPLATES,
        "Stable Diffusion XL", OPENRAIL,
    ),
)  # fmt: skip
TRANSFORMERS = (
    ModelFile(
        "flux1-dev.safetensors", "diffusion_models", f"{HUB}/Comfy-Org/flux1-dev/resolve/main/flux1-dev.safetensors",
        TEMPLATES, "FLUX.1 [dev]", "FLUX.1 [dev] non-commercial",
    ),
    _packaged(
        "diffusion_models/flux1-dev-kontext_fp8_scaled.safetensors", "flux1-kontext-dev_ComfyUI",
        "FLUX.1 Kontext [dev]", "FLUX.1 [dev] non-commercial",
    ),
    ModelFile(
        "clip_l.safetensors", "text_encoders",
        f"{HUB}/comfyanonymous/flux_text_encoders/resolve/main/clip_l.safetensors", TEMPLATES,
        "text encoder of FLUX.1", MIT,
    ),
    ModelFile(
        "t5xxl_fp8_e4m3fn_scaled.safetensors", "text_encoders",
        f"{HUB}/comfyanonymous/flux_text_encoders/resolve/main/t5xxl_fp8_e4m3fn_scaled.safetensors", TEMPLATES,
        "the other text encoder of FLUX.1", APACHE,
    ),
    ModelFile(
        "t5xxl_fp16.safetensors", "text_encoders",
        f"{HUB}/comfyanonymous/flux_text_encoders/resolve/main/t5xxl_fp16.safetensors", TEMPLATES,
        "the other text encoder of FLUX.1, in full precision", APACHE,
    ),
    _packaged("vae/ae.safetensors", "Lumina_Image_2.0_Repackaged", "VAE of FLUX.1", APACHE),
    ModelFile(
        "flux-2-klein-4b-fp8.safetensors", "diffusion_models",
        f"{HUB}/black-forest-labs/FLUX.2-klein-4b-fp8/resolve/main/flux-2-klein-4b-fp8.safetensors", TEMPLATES,
        "FLUX.2 [klein] 4B", APACHE,
    ),
    _packaged("text_encoders/qwen_3_4b.safetensors", "z_image_turbo", "text encoder of FLUX.2 [klein] 4B", APACHE),
    _packaged("vae/flux2-vae.safetensors", "flux2-dev", "VAE of FLUX.2", APACHE),
    _packaged(
        "diffusion_models/qwen_image_edit_2511_fp8mixed.safetensors", "Qwen-Image-Edit_ComfyUI",
        "Qwen-Image-Edit 2511", APACHE,
    ),
    _packaged(
        "text_encoders/qwen_2.5_vl_7b_fp8_scaled.safetensors", "HunyuanVideo_1.5_repackaged",
        "text encoder of Qwen-Image-Edit", APACHE,
    ),
    _packaged("vae/qwen_image_vae.safetensors", "Qwen-Image_ComfyUI", "VAE of Qwen-Image-Edit", APACHE),
)  # fmt: skip
FILES = (*FACE_PACKS, *ADAPTERS, *ENCODERS, *CONTROL_NETS, *CHECKPOINTS, *TRANSFORMERS)


def last_part(name: object) -> str:
    """A name without its folders, in lower case: how names of other disks are compared. A prompt may hold null."""
    return str(name).replace("\\", "/").rsplit("/", 1)[-1].lower()


def published(name: str) -> ModelFile | None:
    """The entry of a file by its name or another of its names, folders and capitals apart; None for an unknown one."""
    wanted = last_part(name)
    by_name = [file for file in FILES if last_part(file.name) == wanted]
    return next(iter(by_name or [file for file in FILES if wanted in map(last_part, file.names)]), None)


def known_names(file: ModelFile) -> Iterator[str]:
    """Last parts of the names under which a file may lie, in lower case, its own first."""
    yield from dict.fromkeys(map(last_part, (file.name, *file.names)))


def may_be(wanted: str, name: str) -> bool:
    """Whether the file `name` of a list may be the one that is wanted, `wanted` being a last part in lower case."""
    return last_part(name) == wanted and ANYBODYS.get(wanted, "") in name.lower()


def where_to_get(name: str) -> str:
    """A sentence with folder and address of a published file, empty for an unknown one."""
    file = published(name)
    if file is None:
        return ""
    return f"It goes into models/{file.folder} and can be had from {address_of(file)} ({file.licence})."


def address_of(file: ModelFile) -> str:
    """The address, and what has to be done with what lies there."""
    if file.address.endswith(".zip"):
        return f"{file.address}, to be unpacked there as {file.name}"
    renamed = last_part(file.address) != last_part(file.name)
    return file.address + (f", to be renamed to {file.name.rsplit(chr(47), 1)[-1]}" if renamed else "")


def everyday_table() -> str:
    """The everyday files, for README."""
    rows = ["| file | folder in `models` | MB | what for | licence |", "| --- | --- | --- | --- | --- |"]
    for file in FILES:
        if file.everyday:
            size = f"{file.size:,}" if file.size else ""
            link = f"[{file.name}]({file.address})"
            rows.append(f"| {link} | `{file.folder}` | {size} | {file.purpose} | {file.licence} |")
    return "\n".join(rows) + "\n"


def whole_table() -> str:
    """All files, for docs/model-files.md, with the place where each address was read."""
    rows = ["| file | folder in `models` | what for | licence | address read in |", "| --- | --- | --- | --- | --- |"]
    for file in FILES:
        link = f"[{file.name}]({file.address})"
        rows.append(f"| {link} | `{file.folder}` | {file.purpose} | {file.licence} | {file.source} |")
    return "\n".join(rows) + "\n"
