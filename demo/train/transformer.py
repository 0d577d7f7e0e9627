"""Stage: the in-context transformer, which takes people from pictures that it is shown as references.

Text encoder and autoencoder are the shipped ones. It is given one person at a time, as FLUX.1 Kontext was
(arXiv 2506.15742): several people at once are as new to it as to the models that users have.
"""

from dataclasses import dataclass, replace
from functools import cache

import torch
from torch import Tensor, nn

from .corpus import Corpus
from .flow import flow_loss
from .flux import PLAIN, Blocks, Reference, double_block, single_block, velocity
from .host_models import new_transformer, text_states
from .identity import CROWDS, DISTANT, FEATURES, Pictures
from .importance import face_weight, feature_weight
from .loop import Run, optimise
from .photos import Album

BATCH = 6  # of each half: without a reference, and with one
RATE = 1e-3
COMPANY = 0.2  # share of the pictures with a reference that show others too
BUST = 0.2  # share of the steps with a whole photo as reference; the others have a head cut out
LATER = 0.25  # share of the references that stand second or third, where another one would be first
LAYOUT = 0.2  # share of the steps with a depth map among the references
SECOND_TEXT = 0.25  # share of the texts that stand where a second or third one would
STEP = 10.0  # between the places of two references
ALONE, ALONE_FAR, PLAIN_FACES = 6.0, 16.0, 4.0  # how much more a face counts than the rest of the picture


@dataclass(frozen=True)
class Data:
    """What the transformer sees.

    near, distant : pictures of all kinds, and of the same people alone and far away
    layouts       : depth maps of the first of `near` as latents [N, C, h, w]
    album         : photos of whom they show
    """

    near: Pictures
    distant: Pictures
    layouts: Tensor
    album: Album


class Faces:
    """The faces of a corpus that a reference can be given for: their scenes and whose they are."""

    def __init__(self, corpus: Corpus, chosen: Tensor):
        self.scene, self.who = corpus.face_scene[chosen], corpus.face_who[chosen]

    def draw(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Scenes and identities, [count] each."""
        pick = torch.randint(0, len(self.scene), (count,), generator=generator)
        return self.scene[pick], self.who[pick]


@dataclass(frozen=True)
class Batch:
    """Latents [B, C, h, w] with captions, what counts in them, and references in order."""

    latents: Tensor
    captions: Tensor
    weight: Tensor
    references: tuple[Reference, ...] = ()


class Batches:
    """Draws the two halves of a step."""

    def __init__(self, data: Data):
        self.data = data
        near, far, known = data.near.corpus, data.distant.corpus, data.album.who
        shown = torch.isin(near.face_who, known)
        alone, mapped = near.single[near.face_scene], near.face_scene < len(data.layouts)
        self.alone, self.company = Faces(near, shown & alone), Faces(near, shown & ~alone)
        self.mapped = Faces(near, shown & mapped)
        self.far = Faces(far, torch.isin(far.face_who, known))
        self.crowds = (~near.single).nonzero().flatten()

    def without(self, count: int, generator: torch.Generator) -> Batch:
        """Any picture, most of them of company; some steps have depth maps."""
        near, layouts = self.data.near, torch.rand((), generator=generator) < LAYOUT
        scenes = torch.randint(0, len(self.data.layouts if layouts else near.latents), (count,), generator=generator)
        crowd = self.crowds[torch.randint(0, len(self.crowds), (count,), generator=generator)]
        if not layouts:
            scenes = torch.where(torch.rand(count, generator=generator) < CROWDS, crowd, scenes)
        batch = self._batch([(near, scenes, PLAIN_FACES)], generator)
        return replace(batch, references=(self._layout(scenes, generator),)) if layouts else batch

    def with_photo(self, count: int, generator: torch.Generator) -> Batch:
        """Pictures of one person, of somebody far away and of company, and a photo of somebody in them."""
        near, layouts = self.data.near, torch.rand((), generator=generator) < LAYOUT
        kind = torch.rand(count, generator=generator)
        company = int((kind < COMPANY).sum())
        far = int((kind > 1 - (1 - COMPANY) * DISTANT).sum())
        sources = [
            (near, self.company, company, ALONE),
            (near, self.alone, count - company - far, ALONE),
            (self.data.distant, self.far, far, ALONE_FAR),
        ]
        if layouts:
            sources = [(near, self.mapped, count, ALONE)]
        drawn = [(pictures, *faces.draw(n, generator), face) for pictures, faces, n, face in sources if n]
        batch = self._batch([(pictures, scenes, face) for pictures, scenes, _, face in drawn], generator)
        references = [self._photo(torch.cat([who for _, _, who, _ in drawn]), generator)]
        if layouts:
            references.append(self._layout(drawn[0][1], generator))
        return replace(batch, references=tuple(references))

    def _photo(self, who: Tensor, generator: torch.Generator) -> Reference:
        kind = "bust" if torch.rand((), generator=generator) < BUST else "head"
        latent = self.data.album.draw(kind, who, generator)
        later = torch.rand(len(who), generator=generator) < LATER
        place = torch.where(later, torch.randint(2, 4, (len(who),), generator=generator), torch.ones(len(who)))
        return Reference(latent, place * STEP)

    def _layout(self, scenes: Tensor, generator: torch.Generator) -> Reference:
        place = torch.randint(1, 5, (len(scenes),), generator=generator)
        return Reference(self.data.layouts[scenes].float(), place * STEP)

    @staticmethod
    def _batch(sources: list[tuple[Pictures, Tensor, float]], generator: torch.Generator) -> Batch:
        shown = [pictures.shown(scenes, generator) for pictures, scenes, _ in sources]
        latents, captions, boxes, points = (torch.cat(parts) for parts in zip(*shown, strict=True))
        face = torch.tensor([own for _, scenes, own in sources for _ in scenes])[:, None, None, None]
        cells = latents.shape[-1]
        weight = face_weight(boxes, cells, face) * feature_weight(points, boxes, cells, FEATURES)
        return Batch(latents, captions, weight)


def train_transformer(options: dict, data: Data, text: nn.Module, run: Run) -> nn.Module:
    """Half of every step has no reference, so that the model draws from words alone too.

    options : of ComfyUI's Flux class, see `Form.transformer`
    text    : the text encoder, which stays as it is
    """
    text.requires_grad_(False)
    model = new_transformer(options)
    batches = cache(lambda: Batches(data))
    blocks = Blocks(run.fast(double_block, True), run.fast(single_block, True)) if run.compiled else PLAIN

    def loss_of(batch: Batch, generator: torch.Generator) -> Tensor:
        context = text_states(text, batch.captions)
        later = torch.rand(len(context), generator=generator) < SECOND_TEXT
        start = later * torch.randint(1, 5, (len(context),), generator=generator) * context.shape[1]

        def predict(x: Tensor, time: Tensor) -> Tensor:
            return velocity(model, x, time / 1000, context, batch.references, start, blocks)

        return flow_loss(predict, batch.latents, generator, batch.weight, 0.5)

    def loss_at(_step: int, generator: torch.Generator) -> Tensor:
        count = min(BATCH, len(data.near.latents))
        halves = batches().without(count, generator), batches().with_photo(count, generator)
        return sum(loss_of(half, generator) for half in halves) / 2

    return optimise(run, model, loss_at, RATE, upon=sum(p.double().abs().sum().item() for p in text.parameters()))
