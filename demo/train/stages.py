"""The stages of training in order: what each needs, makes and writes."""

import logging
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor, nn

from ..form import Form
from .autoencoder import train_autoencoder
from .control import train_control
from .corpus import Corpus, render_corpus
from .detector import train_detector
from .export import write_detector, write_onnx, write_recogniser, write_safetensors, write_world
from .faces import PlainRecogniser, ResidualRecogniser, rank_one, train_recogniser
from .identity import WorldWithIdentity, train_identity
from .latents import latents_of
from .reader import train_reader
from .text_to_image import TextToImage, train_text_to_image

log = logging.getLogger(__name__)


@dataclass
class Training:
    """One run: its form, where its checkpoints lie and where the weights go.

    A part that is asked for is loaded when its checkpoint is finished, and trained until it is otherwise.
    """

    name: str
    form: Form
    work: Path
    out: Path

    @cached_property
    def corpus(self) -> Corpus:
        """The rendered scenes."""
        return Corpus(self.work / "corpus")

    @cached_property
    def autoencoder(self) -> nn.Module:
        """Pictures to latents and back."""
        return train_autoencoder(self.form, self.corpus, self.work)

    @cached_property
    def recogniser(self) -> nn.Module:
        """The recogniser that feeds the adapter."""
        torch.manual_seed(1)
        return train_recogniser("recogniser", PlainRecogniser(), self.form, self.corpus, self.work)

    @cached_property
    def latents(self) -> Tensor:
        """All scenes as latents, [N, C, h, w]."""
        return latents_of(self.autoencoder, self.corpus, self.work)

    @cached_property
    def drawing_world(self) -> TextToImage:
        """Text encoder and UNet before they have learned to listen to an identity."""
        torch.manual_seed(3)
        return train_text_to_image(self.form, self.corpus, self.latents, self.work)

    @cached_property
    def world(self) -> WorldWithIdentity:
        """Text encoder and UNet with the identity adapter."""
        torch.manual_seed(6)
        return train_identity(self.form, self.corpus, self.latents, self.drawing_world, self.recogniser, self.work)


def corpus_stage(t: Training) -> None:
    """Render the training set."""
    render_corpus(t.work / "corpus", t.form.size, t.form.scenes)


def autoencoder_stage(t: Training) -> None:
    """Write vae.safetensors."""
    write_safetensors(t.out / "vae.safetensors", t.autoencoder.state_dict())


def recogniser_stage(t: Training) -> None:
    """Write the recogniser of the pack troupe-demo, and say how well it tells unseen people apart."""
    log.info("recogniser: same %.3f, other %.3f, rank-1 of 500 %.3f", *rank_one(t.recogniser))
    write_recogniser(t.out / "insightface/models/troupe-demo/recogniser.onnx", t.recogniser)


def scorer_stage(t: Training) -> None:
    """Write the recogniser of the pack troupe-demo-scorer, which never feeds an adapter."""
    torch.manual_seed(2)
    scorer = train_recogniser("scorer", ResidualRecogniser(), t.form, t.corpus, t.work)
    log.info("scorer: same %.3f, other %.3f, rank-1 of 500 %.3f", *rank_one(scorer))
    write_recogniser(t.out / "insightface/models/troupe-demo-scorer/recogniser.onnx", scorer)


def detector_stage(t: Training) -> None:
    """Write the detector into both face packs."""
    torch.manual_seed(4)
    detector = train_detector(t.form, t.corpus, t.work)
    for pack in ("troupe-demo", "troupe-demo-scorer"):
        write_detector(t.out / f"insightface/models/{pack}/detector.onnx", detector)


def reader_stage(t: Training) -> None:
    """Write reader.onnx."""
    torch.manual_seed(5)
    reader = train_reader(t.form, t.corpus, t.work)
    write_onnx(t.out / "reader.onnx", reader, (1, 3, 96, 96), "person", ["logits"], batched=True)


def text_to_image_stage(t: Training) -> None:
    """Write UNet and text encoder as they are before the stage `identity`."""
    write_text_to_image(t, t.drawing_world)


def write_text_to_image(t: Training, world: TextToImage) -> None:
    """Write unet.safetensors, text_encoder.safetensors and world.json, which says how they are built."""
    write_safetensors(t.out / "unet.safetensors", world.unet.state_dict())
    write_safetensors(t.out / "text_encoder.safetensors", world.text.state_dict())
    write_world(t.out, t.name, t.form, t.form.steps)


def identity_stage(t: Training) -> None:
    """Write the identity adapter, and UNet and text encoder as they are with it."""
    write_text_to_image(t, t.world.world)
    write_safetensors(t.out / "ipadapter/troupe-demo-faceid.safetensors", t.world.adapter.state_dict())


def control_stage(t: Training) -> None:
    """Write the depth ControlNet of the final UNet."""
    torch.manual_seed(7)
    control = train_control(t.form, t.corpus, t.latents, t.world.world, t.work)
    write_safetensors(t.out / "depth_control.safetensors", control.state_dict())


STAGES = {
    "corpus": corpus_stage,
    "autoencoder": autoencoder_stage,
    "recogniser": recogniser_stage,
    "scorer": scorer_stage,
    "detector": detector_stage,
    "reader": reader_stage,
    "text_to_image": text_to_image_stage,
    "identity": identity_stage,
    "control": control_stage,
}
