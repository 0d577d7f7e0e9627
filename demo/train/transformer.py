"""Stage: the in-context transformer, which takes people from pictures that it is shown as references.

Text encoder and autoencoder are the shipped ones. It is given one person at a time, as FLUX.1 Kontext was
(arXiv 2506.15742): several people at once are as new to it as to the models that users have.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import torch
from torch import Tensor, nn

from .flow import flow_loss
from .flux import PLAIN, Blocks, Reference, double_block, single_block, velocity
from .host_models import new_transformer, text_states
from .identity import CROWDS, FEATURES, Pictures
from .importance import face_weight, feature_weight
from .loop import Run, optimise
from .photos import Album

BATCH = 6  # of each half: without a reference, and with one
RATE = 1e-3
WIDE = 0.25  # share of the steps without depth maps that are twice as wide as high
# Of the pictures with a reference: others are there too, somebody is alone and far away, somebody is alone and near.
SHARES = torch.tensor([0.2, 0.4, 0.4])
BUST = 0.2  # share of the steps with a whole photo as reference; the others have a head cut out
LATER = 0.25  # share of the references that stand second or third, where another one would be first
LAYOUT = 0.2  # share of the steps with a depth map among the references
SECOND_TEXT = 0.25  # share of the texts that stand where a second or third one would
STEP = 10.0  # between the places of two references
ALONE, ALONE_FAR, PLAIN_FACES = 6.0, 16.0, 4.0  # how much more a face counts than the rest of the picture


@dataclass(frozen=True)
class Data:
    """What the transformer sees.

    near, distant, wide : pictures of all kinds, of somebody alone and far away, and of all kinds twice as wide as high
    layouts             : depth maps of the first of `near` as latents [N, C, h, w]
    album               : photos of whom they show
    """

    near: Pictures
    distant: Pictures
    wide: Pictures
    layouts: Tensor
    album: Album


class Faces:
    """Pictures with the faces in them that a reference can be given for, of people alone and in company."""

    def __init__(self, pictures: Pictures, known: Tensor):
        corpus = self.corpus = pictures.corpus
        self.pictures = pictures
        self.crowds = (~corpus.single).nonzero().flatten()
        shown, alone = torch.isin(corpus.face_who, known), corpus.single[corpus.face_scene]
        self.alone, self.company = (shown & alone).nonzero().flatten(), (shown & ~alone).nonzero().flatten()

    def first(self, scenes: int) -> Tensor:
        """The faces that the first so many scenes show."""
        faces = torch.cat([self.alone, self.company])
        return faces[self.corpus.face_scene[faces] < scenes]

    def some(self, faces: Tensor, count: int, face: float, generator: torch.Generator) -> "Shown":
        """`count` of some faces, each with the scene it is in; `face`: how much more it counts than what is around."""
        pick = _pick(faces, count, generator)
        return Shown(self.pictures, self.corpus.face_scene[pick], face, self.corpus.face_who[pick])


@dataclass(frozen=True)
class Shown:
    """Scenes [n] of some pictures; how much more faces count in them; whose photo [n] is given, if any."""

    pictures: Pictures
    scenes: Tensor
    face: float
    who: Tensor


def _pick(rows: Tensor, count: int, generator: torch.Generator) -> Tensor:
    return rows[torch.randint(0, len(rows), (count,), generator=generator)]


def _chance(share: float, generator: torch.Generator) -> bool:
    return torch.rand((), generator=generator).item() < share


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
        self.near, self.far, self.wide = (Faces(p, data.album.who) for p in (data.near, data.distant, data.wide))
        self.mapped = self.near.first(len(data.layouts))

    def without(self, count: int, generator: torch.Generator) -> Batch:
        """Any picture, most of them of company; some steps have depth maps."""
        if _chance(LAYOUT, generator):
            scenes = torch.randint(0, len(self.data.layouts), (count,), generator=generator)
            batch = self._batch([Shown(self.data.near, scenes, PLAIN_FACES, scenes)], generator)
            return replace(batch, references=(self._layout(scenes, generator),))
        faces = self.wide if _chance(WIDE, generator) else self.near
        any_scene = torch.arange(len(faces.pictures.latents))
        crowd = torch.rand(count, generator=generator) < CROWDS
        scenes = torch.where(crowd, _pick(faces.crowds, count, generator), _pick(any_scene, count, generator))
        return self._batch([Shown(faces.pictures, scenes, PLAIN_FACES, scenes)], generator)

    def with_photo(self, count: int, generator: torch.Generator) -> Batch:
        """Pictures of one person, of somebody far away and of company, and a photo of somebody in them."""
        company, far = torch.multinomial(SHARES, count, True, generator=generator).bincount(minlength=3)[:2].tolist()
        layouts = _chance(LAYOUT, generator)
        if layouts:
            drawn = [self.near.some(self.mapped, count, ALONE, generator)]
        elif _chance(WIDE, generator):
            faces, company = self.wide, company + far
            drawn = [
                faces.some(faces.company, company, ALONE, generator),
                faces.some(faces.alone, count - company, ALONE, generator),
            ]
        else:
            drawn = [
                self.near.some(self.near.company, company, ALONE, generator),
                self.near.some(self.near.alone, count - company - far, ALONE, generator),
                self.far.some(self.far.alone, far, ALONE_FAR, generator),
            ]
        batch = self._batch([one for one in drawn if len(one.scenes)], generator)
        references = [self._photo(torch.cat([one.who for one in drawn]), generator)]
        references += [self._layout(drawn[0].scenes, generator)] if layouts else []
        return replace(batch, references=tuple(references))

    def _photo(self, who: Tensor, generator: torch.Generator) -> Reference:
        kind = "bust" if _chance(BUST, generator) else "head"
        latent = self.data.album.draw(kind, who, generator)
        later = torch.rand(len(who), generator=generator) < LATER
        place = torch.where(later, torch.randint(2, 4, (len(who),), generator=generator), torch.ones(len(who)))
        return Reference(latent, place * STEP)

    def _layout(self, scenes: Tensor, generator: torch.Generator) -> Reference:
        place = torch.randint(1, 5, (len(scenes),), generator=generator)
        return Reference(self.data.layouts[scenes].float(), place * STEP)

    @staticmethod
    def _batch(sources: list[Shown], generator: torch.Generator) -> Batch:
        shown = [one.pictures.shown(one.scenes, generator) for one in sources]
        latents, captions, boxes, points = (torch.cat(parts) for parts in zip(*shown, strict=True))
        face = torch.tensor([one.face for one in sources for _ in one.scenes])[:, None, None, None]
        cells = tuple(latents.shape[2:])
        weight = face_weight(boxes, cells, face) * feature_weight(points, boxes, cells, FEATURES)
        return Batch(latents, captions, weight)


def train_transformer(options: dict, data: Callable[[], Data], text: nn.Module, run: Run) -> nn.Module:
    """Half of every step has no reference, so that the model draws from words alone too.

    options : of ComfyUI's Flux class, see `Form.transformer`
    data    : asked for when there is something to train
    text    : the text encoder, which stays as it is
    """
    text.requires_grad_(False)
    model = new_transformer(options)
    batches = cache(lambda: Batches(data()))
    blocks = Blocks(run.fast(double_block, True), run.fast(single_block, True)) if run.compiled else PLAIN

    def loss_of(batch: Batch, generator: torch.Generator) -> Tensor:
        context = text_states(text, batch.captions)
        later = torch.rand(len(context), generator=generator) < SECOND_TEXT
        start = later * torch.randint(1, 5, (len(context),), generator=generator) * context.shape[1]

        def predict(x: Tensor, time: Tensor) -> Tensor:
            return velocity(model, x, time / 1000, context, batch.references, start, blocks)

        return flow_loss(predict, batch.latents, generator, batch.weight, 0.5)

    def loss_at(_step: int, generator: torch.Generator) -> Tensor:
        halves = batches().without(BATCH, generator), batches().with_photo(BATCH, generator)
        return sum(loss_of(half, generator) for half in halves) / 2

    return optimise(run, model, loss_at, RATE, upon=sum(p.double().abs().sum().item() for p in text.parameters()))
