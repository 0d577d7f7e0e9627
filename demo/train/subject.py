"""Stage: the plain IP-Adapter for any subject, person or thing, upon a UNet and a text encoder that stay as they are.

It sees pictures of one figure only; half of them show things, which are few in the corpus and come often.
"""

import logging
from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn

from .adapter import Adapter, cross_attentions
from .corpus import Corpus, training_identities
from .flow import flow_loss
from .host_models import text_states
from .identity import NO_IDENTITY
from .importance import face_weight
from .loop import Run, optimise
from .subject_encoder import WIDTH, embeddings_of, portraits
from .text_to_image import TextToImage, random_captions

log = logging.getLogger(__name__)
BATCH = 24
THINGS = 0.5  # share of the pictures
PHOTOS = 4  # references of each subject
INSIDE = 4.0  # how much more the subject counts than the rest of the picture


class SubjectReferences:
    """Pictures of one figure, and for each the embeddings of other photos of the same subject.

    scenes, kind [N]         the corpus' pictures of one figure, and what it is
    embedding [S, PHOTOS, WIDTH]  of every subject that there is a picture of
    subject [N]              which of these the picture shows
    """

    def __init__(self, corpus: Corpus, encoder: nn.Module, folder: Path):
        self.scenes = corpus.single.nonzero().flatten()
        located = [corpus.locate(int(scene)) for scene in self.scenes]
        self.kind = torch.tensor([int(chunk["scene"]["kind"][row, 0]) for chunk, row in located])
        who = torch.tensor([int(chunk["who"][row, 0]) for chunk, row in located])
        subjects, self.subject = torch.stack([self.kind, who], 1).unique(dim=0, return_inverse=True)
        self.embedding = _kept_embeddings(folder / "subject-references.pt", subjects, encoder)
        groups = [(self.kind == 0).nonzero().flatten(), (self.kind > 0).nonzero().flatten()]
        self.people, self.things = (own if len(own) else other for own, other in (groups, groups[::-1]))

    def draw(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Scenes [count] and embeddings [count, WIDTH], zeros where the subject is left out."""

        def some(rows: Tensor, number: int) -> Tensor:
            return rows[torch.randint(0, len(rows), (number,), generator=generator)]

        things = int(count * THINGS)
        pick = torch.cat([some(self.people, count - things), some(self.things, things)])
        photo = torch.randint(0, self.embedding.shape[1], (count,), generator=generator)
        embedding = self.embedding[self.subject[pick], photo]
        return self.scenes[pick], embedding * (torch.rand(count, 1, generator=generator) > NO_IDENTITY)


def _kept_embeddings(path: Path, subjects: Tensor, encoder: nn.Module) -> Tensor:
    """Embeddings of `PHOTOS` photos of each subject [S, 2] (kind, identity); anew for another encoder or corpus."""
    mark = [mark_of(encoder), *subjects.shape, int(subjects.sum())]
    if path.exists():
        kept = torch.load(path, weights_only=True)
        if kept["mark"] == mark:
            return kept["embedding"]
    log.info("rendering %d references of %d subjects", len(subjects) * PHOTOS, len(subjects))
    kind, who = subjects.unbind(1)
    embedding = embeddings_of(encoder, portraits(training_identities()[who], kind, PHOTOS, 60_000))
    torch.save({"mark": mark, "embedding": embedding}, path)
    return embedding


def mark_of(encoder: nn.Module) -> float:
    """A number that changes when the encoder is trained further; an adapter fits one encoder only."""
    return encoder.visual_projection.weight.abs().sum().item()


def subject_boxes(corpus: Corpus, scenes: Tensor) -> Tensor:
    """Where the figure is that a reference is about: a person's face, a thing as a whole; [B, 6, 4] in fractions."""
    boxes, place = corpus.facts(scenes, "face_box"), corpus.facts(scenes, "place")
    x, y, size = place.unbind(-1)
    whole = torch.stack([x - size, y - 0.2 * size, x + size, y + 2.4 * size], -1)
    return torch.where((corpus.facts(scenes, "kind") > 0)[..., None], whole, boxes)


def train_subject(corpus: Corpus, latents: Tensor, world: TextToImage, encoder: nn.Module, run: Run) -> nn.Module:
    """The subject counts more than the rest of the picture. latents [N, C, h, w] of all scenes."""
    world.requires_grad_(False)
    encoder.requires_grad_(False)
    adapter = Adapter(cross_attentions(world.unet), WIDTH)
    batch = min(BATCH, len(latents))
    references = cache(lambda: SubjectReferences(corpus, encoder, run.folder))

    def predict(x: Tensor, time: Tensor, text: Tensor, tokens: Tensor) -> Tensor:
        options = {"patches_replace": {"attn2": adapter.attention_patches(tokens)}}
        return world.unet(x, time, context=text, transformer_options=options)

    velocity = run.fast(predict)

    def loss_at(_step: int, generator: torch.Generator) -> Tensor:
        scenes, embedding = references().draw(batch, generator)
        text = text_states(world.text, random_captions(corpus, scenes, generator))
        weight = face_weight(subject_boxes(corpus, scenes), latents.shape[-1], INSIDE)
        tokens = adapter.tokens(embedding)
        return flow_loss(lambda x, t: velocity(x, t, text, tokens), latents[scenes].float(), generator, weight)

    return optimise(run, adapter, loss_at, 6e-4, upon=mark_of(encoder))
