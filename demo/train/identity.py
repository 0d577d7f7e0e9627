"""Stage: identity adapter and UNet together, after the UNet has learned to draw.

The adapter sees pictures of one person only.

Published adapters are trained on a frozen UNet (IP-Adapter, arXiv 2308.06721). A UNet this small and this young learns
to listen faster than an adapter learns to be heard, so here both move: one half of every batch shows one person with
their identity, the other half any scene without it, and the unpatched model stays a text-to-image model.
"""

from collections.abc import Callable
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..form import Form
from .adapter import Adapter, cross_attentions, face_embeddings, face_weight
from .corpus import Corpus
from .flow import flow_loss
from .host_models import text_states
from .loop import optimise
from .text_to_image import TextToImage, random_captions

BATCH = 20  # of each half
NO_IDENTITY = 0.08  # share of references replaced by zeros, whose tokens the negative prompt gets when sampling


class WorldWithIdentity(nn.Module):
    """The parts that learn together in this stage."""

    def __init__(self, world: TextToImage):
        super().__init__()
        self.world = world
        self.adapter = Adapter(cross_attentions(world.unet))


class References:
    """Pictures of one person, and for each another face of the same person from somewhere else in the corpus."""

    def __init__(self, corpus: Corpus, embeddings: Tensor):
        self.embeddings = embeddings
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
        offset = (torch.rand(count, generator=generator) * faces).long()
        embedding = F.normalize(self.embeddings[self.by_person[start + offset]].float())
        return self.scenes[pick], embedding * (torch.rand(count, 1, generator=generator) > NO_IDENTITY)


def train_identity(
    form: Form, corpus: Corpus, latents: Tensor, world: TextToImage, recogniser: nn.Module, folder: Path
) -> WorldWithIdentity:
    """Faces count more than the rest of the picture where an identity is given. latents [N, C, h, w] of all scenes."""
    model = WorldWithIdentity(world.requires_grad_(True))
    references = References(corpus, face_embeddings(corpus, recogniser, folder))

    def velocity(context: Tensor, options: dict) -> Callable[[Tensor, Tensor], Tensor]:
        return lambda x, time: model.world.unet(x, time, context=context, transformer_options=options)

    def loss_at(_step: int, generator: torch.Generator) -> Tensor:
        anywhere = torch.randint(0, len(latents), (BATCH,), generator=generator)
        plain_text = text_states(model.world.text, random_captions(corpus, anywhere, generator))
        plain = flow_loss(velocity(plain_text, {}), latents[anywhere].float(), generator)
        scenes, embedding = references.draw(BATCH, generator)
        text = text_states(model.world.text, random_captions(corpus, scenes, generator))
        patches = model.adapter.attention_patches(model.adapter.tokens(embedding))
        weight = face_weight(corpus.facts(scenes, "face_box"), latents.shape[-1])
        options = {"patches_replace": {"attn2": patches}}
        return plain + flow_loss(velocity(text, options), latents[scenes].float(), generator, weight)

    return optimise("identity", model, loss_at, form.steps["identity"], 4e-4, folder)
