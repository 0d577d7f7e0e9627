"""The offline world as ComfyUI values (MODEL, CLIP, VAE, CONTROL_NET, CLIP_VISION) from the weights the pack ships."""

import json
from functools import cached_property
from pathlib import Path

import comfy.cldm.cldm
import comfy.clip_vision
import comfy.controlnet
import comfy.latent_formats
import comfy.model_base
import comfy.model_management
import comfy.model_patcher
import comfy.ops
import comfy.sd
import comfy.supported_models_base
import comfy.utils
import torch
from comfy.taesd.taesd import TAESD

from ...demo.renderer import render
from ...demo.scenes import random_scenes
from .demo_text import load_text_encoder

WEIGHTS = Path(__file__).parents[2] / "demo" / "weights"
IMAGE_ENCODER = "clip_vision/troupe-demo-subject.safetensors"
MODELS = ("UNet", "transformer")
SEED, PEOPLE, SIDE = 7, 2, 128  # of the scene that the colours of previews are read off


def latent_colours(weights: Path, channels: int) -> tuple[list[list[float]], list[float]]:
    """What a cell's latent numbers add to its colour in -1..1, [channels][3], and the colour without any of them, [3].

    weights : the autoencoder in TAESD's format
    Fitted by least squares to one rendered scene and its latents, 256 cells. On other scenes they explain nine tenths
    of the variance of the decoded colours, as those fitted to sixteen scenes do. As quick as to encode one picture.
    """
    autoencoder = TAESD(latent_channels=channels)
    autoencoder.load_state_dict(comfy.utils.load_torch_file(str(weights)))
    picture = render(random_scenes(1, PEOPLE, torch.Generator().manual_seed(SEED)), SIDE).picture
    with torch.no_grad():
        latents = autoencoder.float().encode(picture * 2 - 1)
    cells = torch.nn.functional.adaptive_avg_pool2d(picture * 2 - 1, latents.shape[-2:])
    numbers, colours = (t.flatten(2)[0].mT for t in (latents, cells))  # [cells, channels], [cells, 3]
    fitted = torch.linalg.lstsq(torch.cat([numbers, torch.ones(len(numbers), 1)], 1), colours).solution
    return fitted[:-1].tolist(), fitted[-1].tolist()


class DemoLatents(comfy.latent_formats.LatentFormat):
    """Latents leave the demo's autoencoder with mean 0 and variance 1 already.

    The colours of previews are fitted when a sampler first asks for them: it does so only where previews are on.
    """

    scale_factor = 1.0

    def __init__(self, channels: int):
        self.latent_channels = channels

    @cached_property
    def _colours(self) -> tuple[list[list[float]], list[float]]:
        return latent_colours(weights_file("vae.safetensors"), self.latent_channels)

    @property
    def latent_rgb_factors(self) -> list[list[float]]:
        return self._colours[0]

    @property
    def latent_rgb_factors_bias(self) -> list[float]:
        return self._colours[1]


class DemoModel(comfy.supported_models_base.BASE):
    """A UNet in SD1.5's block structure, sampled by flow matching."""

    unet_extra_config = {}
    sampling_settings = {"shift": 1.0}
    memory_usage_factor = 0.1

    def __init__(self, options: dict, latents: DemoLatents):
        self.latent_format = lambda: latents  # the host calls it once, as it would the class
        super().__init__(options)

    def model_type(self, _state_dict, _prefix=""):
        return comfy.model_base.ModelType.FLOW

    def inpaint_model(self) -> bool:
        return False


class DemoTransformer(DemoModel):
    """A small FLUX.2, sampled by flow matching with times in 0..1; texts keep their length, which the host's do not."""

    sampling_settings = {"shift": 1.0, "multiplier": 1.0}

    def get_model(self, state_dict, prefix="", device=None):
        return comfy.model_base.Flux(self, self.model_type(state_dict, prefix), device=device)


def weights_file(name: str) -> Path:
    """A file of the shipped world. Raises FileNotFoundError that names the file, the folder and what to do."""
    path = WEIGHTS / name
    if not path.is_file():
        raise FileNotFoundError(
            f"Troupe: {name} is missing from {WEIGHTS}. Reinstall the pack; its demo weights come with it."
        )
    return path


def world_facts() -> dict:
    """world.json: the shapes of the models beside it."""
    return json.loads(weights_file("world.json").read_text(encoding="utf-8"))


def load_demo_model(name: str = "UNet", disable_dynamic: bool = False) -> comfy.model_patcher.ModelPatcher:
    """The UNet or the transformer as a MODEL. name: one of MODELS."""
    facts, management = world_facts(), comfy.model_management
    of_kind, part = (DemoTransformer, "transformer") if name == "transformer" else (DemoModel, "unet")
    config = of_kind(facts[part], DemoLatents(facts["latent_channels"]))
    config.set_inference_dtype(torch.float32, None)
    model = config.get_model({}, device=management.unet_offload_device())
    model.diffusion_model.load_state_dict(comfy.utils.load_torch_file(str(weights_file(f"{part}.safetensors"))))
    kind = comfy.model_patcher.ModelPatcher if disable_dynamic else comfy.model_patcher.CoreModelPatcher
    patcher = kind(model, load_device=management.get_torch_device(), offload_device=management.unet_offload_device())
    patcher.cached_patcher_init = (load_demo_model, (name,))
    return patcher


def load_demo_control() -> comfy.controlnet.ControlNet:
    """The depth ControlNet as a CONTROL_NET for the stock Apply ControlNet."""
    facts, management = world_facts(), comfy.model_management
    of_the_output = ("out_channels", "transformer_depth_output")
    options = {key: value for key, value in facts["unet"].items() if key not in of_the_output}
    control = comfy.cldm.cldm.ControlNet(
        hint_channels=3,
        dtype=torch.float32,
        device=management.unet_offload_device(),
        operations=comfy.ops.disable_weight_init,
        **options,
    )
    control.load_state_dict(comfy.utils.load_torch_file(str(weights_file("depth_control.safetensors"))))
    return comfy.controlnet.ControlNet(control, load_device=management.get_torch_device())


def load_demo_world(model: str = "UNet") -> tuple:
    """MODEL, CLIP, VAE and CONTROL_NET of the offline world. model: one of MODELS."""
    text = comfy.utils.load_torch_file(str(weights_file("text_encoder.safetensors")))
    autoencoder = comfy.utils.load_torch_file(str(weights_file("vae.safetensors")))
    return load_demo_model(model), load_text_encoder(text), comfy.sd.VAE(sd=autoencoder), load_demo_control()


def load_demo_vision() -> comfy.clip_vision.ClipVisionModel | None:
    """The image encoder of the plain adapter, for the stock CLIP Vision Encode; None where it is not there.

    Raises RuntimeError naming the tensors that the file lacks.
    """
    if not (WEIGHTS / IMAGE_ENCODER).is_file():
        return None
    path = weights_file(IMAGE_ENCODER)
    vision = comfy.clip_vision.ClipVisionModel(str(weights_file(Path(IMAGE_ENCODER).with_suffix(".json").as_posix())))
    missing, _ = vision.load_sd(comfy.utils.load_torch_file(str(path)))
    if missing:
        raise RuntimeError(f"Troupe: the demo's image encoder lacks {', '.join(missing)}. Reinstall the pack.")
    return vision
