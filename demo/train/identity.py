"""Stage: identity adapter and UNet together, after the UNet has learned to draw.

The adapter sees pictures of one person only.

Published adapters are trained on a frozen UNet (IP-Adapter, arXiv 2308.06721). Here both move, so that every one of few
samples trains both (not compared with a frozen UNet): one half of every batch shows one person with their identity, the
other half any scene without it, and the unpatched model stays a text-to-image model.
"""

from dataclasses import dataclass
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from .adapter import Adapter, cross_attentions
from .corpus import Corpus
from .embeddings import Embedder, face_embeddings
from .flow import flow_loss
from .host_models import text_states
from .importance import face_weight, feature_weight
from .loop import Run, optimise
from .text_to_image import TextToImage, random_captions

BATCH = 20  # of each half
DISTANT = 0.5  # share of the pictures with an identity in which the person is as small as people are in company
CROWDS = 0.8  # share of the half without identity that shows several figures; the other half shows one anyway
FEATURES = 3.0  # how much more the cells of eyes and mouths count: a mood is in nothing else
NO_IDENTITY = 0.08  # share of references replaced by zeros, whose tokens the negative prompt gets when sampling


class WorldWithIdentity(nn.Module):
    """The parts that learn together in this stage."""

    def __init__(self, world: TextToImage):
        super().__init__()
        self.world = world
        self.adapter = Adapter(cross_attentions(world.unet))


class References:
    """Pictures of one person, and for each another face of the same person from somewhere else in the corpus.

    shown : the pictures, of the corpus itself or of another one with the same people
    """

    def __init__(self, corpus: Corpus, embedder: Embedder, shown: Corpus):
        self.corpus, self.embedder, self.shown = corpus, embedder, shown
        scenes = shown.single.nonzero().flatten()
        located = [shown.locate(int(scene)) for scene in scenes]
        person = torch.tensor([int(chunk["scene"]["kind"][row, 0]) == 0 for chunk, row in located])
        self.scenes = scenes[person]
        self.who = torch.tensor([int(chunk["who"][row, 0]) for chunk, row in located])[person]
        self.by_person = corpus.face_who.argsort()
        self.start = torch.searchsorted(corpus.face_who[self.by_person], torch.arange(int(corpus.face_who.max()) + 2))

    def draw(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Scenes [count] and normed reference embeddings [count, 512], zeros where the identity is left out."""
        pick = torch.randint(0, len(self.scenes), (count,), generator=generator)
        start, faces = self.start[self.who[pick]], self.start[self.who[pick] + 1] - self.start[self.who[pick]]
        other = (torch.rand(count, generator=generator) * (faces - 1).clamp(min=1)).long()
        reference = self.by_person[start + other]
        itself = (self.corpus.face_scene[reference] == self.scenes[pick]) & (self.shown is self.corpus)
        reference = torch.where(itself & (faces > 1), self.by_person[start + faces - 1], reference)
        embedding = F.normalize(face_embeddings(self.corpus, self.embedder, reference))
        return self.scenes[pick], embedding * (torch.rand(count, 1, generator=generator) > NO_IDENTITY)


@dataclass(frozen=True)
class Pictures:
    """A corpus and its scenes as latents [N, C, h, w]; `counted`: whether captions say how many people there are."""

    corpus: Corpus
    latents: Tensor
    counted: bool = True

    def shown(self, scenes: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Latents, captions, face boxes and key points of scenes [B]."""
        captions = random_captions(self.corpus, scenes, generator, counted=self.counted)
        boxes, points = (self.corpus.facts(scenes, key) for key in ("face_box", "key_points"))
        return self.latents[scenes].float(), captions, boxes, points


def train_identity(
    near: Pictures, distant: Pictures, world: TextToImage, embedder: Embedder, run: Run
) -> WorldWithIdentity:
    """Faces count more than the rest of the picture where an identity is given.

    near    : scenes of all kinds
    distant : the same people alone and far away. Without them likeness is lost in faces as small as those of company.
    """
    model = WorldWithIdentity(world.requires_grad_(True))
    batch = min(BATCH, len(near.latents))
    far = int(batch * DISTANT)
    corpus, cells = near.corpus, near.latents.shape[-1]
    references = cache(lambda shown: References(corpus, embedder, shown))
    crowds = (~corpus.single).nonzero().flatten()
    inside = torch.tensor([4.0] * batch + [6.0] * (batch - far) + [16.0] * far)[:, None, None, None]
    middle = torch.tensor([0.5, 0.4]).repeat_interleave(batch)

    def predict(x: Tensor, time: Tensor, text: Tensor, tokens: Tensor) -> Tensor:
        options = {"patches_replace": {"attn2": model.adapter.attention_patches(tokens, plain=batch)}}
        return model.world.unet(x, time, context=text, transformer_options=options)

    velocity = run.fast(predict)

    def loss_at(_step: int, generator: torch.Generator) -> Tensor:
        plain = torch.randint(0, len(near.latents), (batch,), generator=generator)
        crowd = crowds[torch.randint(0, len(crowds), (batch,), generator=generator)]
        plain = torch.where(torch.rand(batch, generator=generator) < CROWDS, crowd, plain)
        known, embedding = references(corpus).draw(batch - far, generator)
        known_far, embedding_far = references(distant.corpus).draw(far, generator)
        parts = [near.shown(torch.cat([plain, known]), generator), distant.shown(known_far, generator)]
        latents, captions, boxes, points = (torch.cat(both) for both in zip(*parts, strict=True))
        weight = face_weight(boxes, cells, inside) * feature_weight(points, boxes, cells, FEATURES)
        text = text_states(model.world.text, captions)
        tokens = model.adapter.tokens(torch.cat([embedding, embedding_far]))
        return flow_loss(lambda x, t: velocity(x, t, text, tokens), latents, generator, weight, middle)

    return optimise(run, model, loss_at, 6e-4)
