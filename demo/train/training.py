"""One run of the training: the parts that stages build upon, loaded or trained when they are asked for."""

import logging
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor, nn

from ..form import TEXT, Form
from .autoencoder import train_autoencoder
from .control import random_hints
from .corpus import Corpus
from .embeddings import Embedder, embedder_in, embedder_of
from .faces import PlainRecogniser, train_recogniser
from .host_models import new_text_encoder
from .identity import Pictures, WorldWithIdentity, train_identity
from .latents import encoded, latents_of
from .loop import Run, step_generator
from .shipped import Shipped, start_from
from .text_to_image import TextToImage, train_text_to_image

log = logging.getLogger(__name__)
SCENES_TO_A_LAYOUT = 4


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
    def distant(self) -> Pictures:
        """Scenes of somebody alone and far away."""
        corpus = Corpus(self.work / "distant")
        return Pictures(corpus, latents_of(self.autoencoder, corpus, self.work / "distant"), counted=False)

    @cached_property
    def wide(self) -> Pictures:
        """Scenes of all kinds on pictures twice as wide as high."""
        corpus = Corpus(self.work / "wide")
        return Pictures(corpus, latents_of(self.autoencoder, corpus, self.work / "wide"))

    @cached_property
    def layouts(self) -> Tensor:
        """Depth maps of the first scenes as users have them, as latents [N, C, h, w]."""

        def drawn(scenes: Tensor) -> Tensor:
            return random_hints(self.corpus, scenes, step_generator("layouts", int(scenes[0]))).expand(-1, 3, -1, -1)

        count = -(-len(self.corpus) // SCENES_TO_A_LAYOUT)
        return encoded(self.autoencoder, self.corpus, drawn, self.work / "layouts.pt", count)

    @cached_property
    def world(self) -> WorldWithIdentity:
        """Text encoder and UNet with the identity adapter."""
        parts = Pictures(self.corpus, self.latents), self.distant, self.drawing_world, self.embedder
        torch.manual_seed(6)
        return train_identity(*parts, self.run("identity", upon=("text_to_image",)))

    @cached_property
    def text(self) -> nn.Module:
        """The final text encoder; where it ships, without anything else of the world that it ships in."""
        run, own = self.run("identity", upon=("text_to_image",)), "world.text."
        if not run.as_shipped:
            return self.world.world.text
        text = new_text_encoder(TEXT)
        start_from(text, {key.removeprefix(own): value for key, value in run.start.items() if key.startswith(own)})
        return text.eval()
