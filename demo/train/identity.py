"""Stage: identity adapter and UNet together, after the UNet has learned to draw.

The adapter sees pictures of one person only.

Published adapters are trained on a frozen UNet (IP-Adapter, arXiv 2308.06721). Here both move, so that every one of few
samples trains both (not compared with a frozen UNet): one half of every batch shows one person with their identity, the
other half any scene without it, and the unpatched model stays a text-to-image model.
"""

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
    """Pictures of one person, and for each another face of the same person from somewhere else in the corpus."""

    def __init__(self, corpus: Corpus, embedder: Embedder):
        self.corpus, self.embedder = corpus, embedder
        scenes = corpus.single.nonzero().flatten()
        located = [corpus.locate(int(scene)) for scene in scenes]
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
        itself = self.corpus.face_scene[reference] == self.scenes[pick]
        reference = torch.where(itself & (faces > 1), self.by_person[start + faces - 1], reference)
        embedding = F.normalize(face_embeddings(self.corpus, self.embedder, reference))
        return self.scenes[pick], embedding * (torch.rand(count, 1, generator=generator) > NO_IDENTITY)


def train_identity(
    corpus: Corpus, latents: Tensor, world: TextToImage, embedder: Embedder, run: Run
) -> WorldWithIdentity:
    """Faces count more than the rest of the picture where an identity is given. latents [N, C, h, w] of all scenes."""
    model = WorldWithIdentity(world.requires_grad_(True))
    batch = min(BATCH, len(latents))
    references = cache(lambda: References(corpus, embedder))
    crowds = (~corpus.single).nonzero().flatten()
    inside = torch.tensor([4.0, 6.0]).repeat_interleave(batch)[:, None, None, None]
    middle = torch.tensor([0.5, 0.4]).repeat_interleave(batch)

    def predict(x: Tensor, time: Tensor, text: Tensor, tokens: Tensor) -> Tensor:
        options = {"patches_replace": {"attn2": model.adapter.attention_patches(tokens, plain=batch)}}
        return model.world.unet(x, time, context=text, transformer_options=options)

    velocity = run.fast(predict)

    def loss_at(_step: int, generator: torch.Generator) -> Tensor:
        plain = torch.randint(0, len(latents), (batch,), generator=generator)
        crowd = crowds[torch.randint(0, len(crowds), (batch,), generator=generator)]
        plain = torch.where(torch.rand(batch, generator=generator) < CROWDS, crowd, plain)
        known, embedding = references().draw(batch, generator)
        scenes = torch.cat([plain, known])
        text = text_states(model.world.text, random_captions(corpus, scenes, generator))
        boxes, points = corpus.facts(scenes, "face_box"), corpus.facts(scenes, "key_points")
        weight = face_weight(boxes, latents.shape[-1], inside)
        weight = weight * feature_weight(points, boxes, latents.shape[-1], FEATURES)

        tokens = model.adapter.tokens(embedding)
        return flow_loss(lambda x, t: velocity(x, t, text, tokens), latents[scenes].float(), generator, weight, middle)

    return optimise(run, model, loss_at, 6e-4)
