"""The stages of training in order: what each needs, makes and writes."""

import hashlib
import logging
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor, nn

from ..form import Form
from .autoencoder import train_autoencoder, train_decoder
from .control import train_control
from .corpus import NEAR_TO_DISTANT, Corpus, render_corpus
from .detector import train_detector
from .embeddings import Embedder, embedder_in, embedder_of
from .export import write_detector, write_onnx, write_recogniser, write_safetensors
from .faces import PlainRecogniser, ResidualRecogniser, log_rank_one, train_recogniser
from .identity import Pictures, WorldWithIdentity, train_identity
from .latents import latents_of
from .loop import Run
from .reader import train_reader
from .shipped import RECOGNISER, Shipped
from .subject_stages import subject_encoder_stage, subject_stage
from .text_to_image import TextToImage, train_text_to_image

log = logging.getLogger(__name__)


@dataclass
class Training:
    """One run: its form, where its checkpoints lie, where the weights go, and what the pack ships already.

    A part that is asked for is loaded when its checkpoint is finished, and trained until it is otherwise. Without a
    checkpoint, a chosen stage starts from the shipped weights, and the parts that it needs are taken as they ship.
    """

    name: str
    form: Form
    work: Path
    out: Path
    chosen: frozenset[str]
    shipped: Shipped
    compiled: bool = False

    def run(self, stage: str, upon: tuple[str, ...] = ()) -> Run:
        """How a stage is trained.

        upon : stages whose result it goes on from; trained in this folder, they count more than what ships
        """
        trained_here = any((self.work / f"{name}.pt").exists() for name in (stage, *upon))
        start = None if trained_here else self.shipped.state(stage)
        steps = self.form.steps[stage] if start is None or stage in self.chosen else 0
        return Run(stage, self.work, steps, start, self.compiled)

    def steps_done(self) -> dict[str, int]:
        """The steps that each stage has done here, or else for the weights that ship."""
        done = self.shipped.steps()
        for stage in self.form.steps:
            if (self.work / f"{stage}.pt").exists():
                done[stage] = torch.load(self.work / f"{stage}.pt", weights_only=True, mmap=True)["step"]
        return done

    @cached_property
    def corpus(self) -> Corpus:
        """The rendered scenes."""
        return Corpus(self.work / "corpus")

    @cached_property
    def autoencoder(self) -> nn.Module:
        """Pictures to latents and back."""
        torch.manual_seed(0)
        return train_autoencoder(self.form, self.corpus, self.run("autoencoder"))

    @cached_property
    def recogniser(self) -> nn.Module:
        """The recogniser that feeds the adapter."""
        torch.manual_seed(1)
        return train_recogniser(PlainRecogniser(), self.corpus, self.run("recogniser"))

    @cached_property
    def embedder(self) -> Embedder:
        """The same as it embeds faces: the shipped file where none is trained here, because adapters fit one only."""
        file = self.shipped.recogniser()
        if file is None or "recogniser" in self.chosen or self.run("recogniser").checkpoint.exists():
            return embedder_of(self.recogniser)
        log.info("recogniser is taken from the shipped weights")
        return embedder_in(file)

    @cached_property
    def latents(self) -> Tensor:
        """All scenes as latents, [N, C, h, w]."""
        return latents_of(self.autoencoder, self.corpus, self.work)

    @cached_property
    def drawing_world(self) -> TextToImage:
        """Text encoder and UNet before they have learned to listen to an identity."""
        corpus, latents = self.corpus, self.latents
        torch.manual_seed(3)
        return train_text_to_image(self.form, corpus, latents, self.run("text_to_image"))

    @cached_property
    def world(self) -> WorldWithIdentity:
        """Text encoder and UNet with the identity adapter."""
        far = Corpus(self.work / "distant")
        distant = Pictures(far, latents_of(self.autoencoder, far, self.work / "distant"), counted=False)
        parts = Pictures(self.corpus, self.latents), distant, self.drawing_world, self.embedder
        torch.manual_seed(6)
        return train_identity(*parts, self.run("identity", upon=("text_to_image",)))


def corpus_stage(t: Training) -> None:
    """Render the training set."""
    render_corpus(t.work / "corpus", t.form.size, t.form.scenes)
    render_corpus(t.work / "distant", t.form.size, -(-t.form.scenes // NEAR_TO_DISTANT), distant=True)


def autoencoder_stage(t: Training) -> None:
    """Write vae.safetensors, with the decoder that learned together with the encoder."""
    write_safetensors(t.out / "vae.safetensors", t.autoencoder.state_dict())


def recogniser_stage(t: Training) -> None:
    """Write the recogniser of the pack troupe-demo, and say how well it tells unseen people apart."""
    log_rank_one("recogniser", t.recogniser, t.form.scenes)
    write_recogniser(t.out / "insightface/models/troupe-demo/recogniser.onnx", t.recogniser)


def scorer_stage(t: Training) -> None:
    """Write the recogniser of the pack troupe-demo-scorer, which never feeds an adapter."""
    torch.manual_seed(2)
    scorer = train_recogniser(ResidualRecogniser(), t.corpus, t.run("scorer"))
    log_rank_one("scorer", scorer, t.form.scenes)
    write_recogniser(t.out / "insightface/models/troupe-demo-scorer/recogniser.onnx", scorer)


def detector_stage(t: Training) -> None:
    """Write the detector into both face packs."""
    torch.manual_seed(4)
    detector = train_detector(t.corpus, t.run("detector"))
    for pack in ("troupe-demo", "troupe-demo-scorer"):
        write_detector(t.out / f"insightface/models/{pack}/detector.onnx", detector)


def reader_stage(t: Training) -> None:
    """Write reader.onnx."""
    torch.manual_seed(5)
    reader = train_reader(t.corpus, t.run("reader"))
    write_onnx(t.out / "reader.onnx", reader, (1, 3, 96, 96), "person", ["logits"], batched=True)


def text_to_image_stage(t: Training) -> None:
    """Write UNet and text encoder as they are before the stage `identity`."""
    write_text_to_image(t, t.drawing_world)


def write_text_to_image(t: Training, world: TextToImage) -> None:
    """Write unet.safetensors and text_encoder.safetensors."""
    write_safetensors(t.out / "unet.safetensors", world.unet.state_dict())
    write_safetensors(t.out / "text_encoder.safetensors", world.text.state_dict())


def identity_stage(t: Training) -> None:
    """Write the identity adapter, and UNet and text encoder as they are with it."""
    write_text_to_image(t, t.world.world)
    own = t.out / RECOGNISER
    file = own if own.is_file() else t.shipped.recogniser()
    named = {"recogniser": hashlib.sha256(file.read_bytes()).hexdigest()[:16]} if file else None
    write_safetensors(t.out / "ipadapter/troupe-demo-faceid.safetensors", t.world.adapter.state_dict(), named)


def control_stage(t: Training) -> None:
    """Write the depth ControlNet of the final UNet."""
    parts = t.form, t.corpus, t.latents, t.world.world
    torch.manual_seed(7)
    control = train_control(*parts, t.run("control"))
    write_safetensors(t.out / "depth_control.safetensors", control.state_dict())


def decoder_stage(t: Training) -> None:
    """Write vae.safetensors with a sharper decoder: same latents, so that every other part still fits."""
    write_safetensors(t.out / "vae.safetensors", train_decoder(t.autoencoder, t.corpus, t.run("decoder")).state_dict())


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
    "subject_encoder": subject_encoder_stage,
    "subject": subject_stage,
    "decoder": decoder_stage,
}
