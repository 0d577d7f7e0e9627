"""Stage: text encoder and UNet, trained together from captions."""

import torch
from torch import Tensor, nn

from ..captions import caption_tokens
from ..form import TEXT, Form
from .corpus import Corpus
from .flow import flow_loss
from .host_models import new_text_encoder, new_unet, text_states
from .importance import face_weight
from .loop import Run, optimise

BATCH = 32


class TextToImage(nn.Module):
    """The two parts that learn together."""

    def __init__(self, form: Form):
        super().__init__()
        self.text = new_text_encoder(TEXT)
        self.unet = new_unet(form.unet)


def train_text_to_image(form: Form, corpus: Corpus, latents: Tensor, run: Run) -> TextToImage:
    """Captions with parts left out at random, and none at all one time in ten, for classifier-free guidance."""
    model = TextToImage(form)
    batch = min(BATCH, len(latents))

    def loss_at(_step: int, generator: torch.Generator) -> Tensor:
        rows = torch.randint(0, len(latents), (batch,), generator=generator)
        context = text_states(model.text, random_captions(corpus, rows, generator))

        def predict(x: Tensor, time: Tensor) -> Tensor:
            return model.unet(x, time, context=context)

        weight = face_weight(corpus.facts(rows, "face_box"), latents.shape[-1], 2.0)
        return flow_loss(predict, latents[rows].float(), generator, weight)

    return optimise(run, model, loss_at, 8e-4)


def random_captions(
    corpus: Corpus, rows: Tensor, generator: torch.Generator, none: float = 0.1, counted: bool = True
) -> Tensor:
    """Captions of scenes [B] as word numbers [B, LENGTH], in part or (with probability `none`) empty.

    counted : whether they may say how many people there are
    """
    drops = torch.rand(len(rows), generator=generator)
    share = [1.0 if drop < none else 0.0 if drop < 0.55 else 0.25 for drop in drops.tolist()]
    scenes = (corpus.scene(int(row)) for row in rows)
    return torch.cat([caption_tokens(one, generator, s, counted) for one, s in zip(scenes, share, strict=True)])
