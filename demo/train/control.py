"""Stage: the depth ControlNet, on exact depth maps, coarsened ones, and generic silhouettes (arXiv 2302.05543)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ..form import Form
from .corpus import Corpus
from .flow import flow_loss
from .host_models import new_control, text_states
from .loop import Run, optimise
from .text_to_image import TextToImage, random_captions

BATCH = 24


def train_control(form: Form, corpus: Corpus, latents: Tensor, world: TextToImage, run: Run) -> nn.Module:
    """The UNet stays as it is; the hint is a depth map as IMAGE, near is bright."""
    world.requires_grad_(False)
    model = new_control(form.unet, world.unet)
    batch = min(BATCH, len(latents))

    def loss_at(_step: int, generator: torch.Generator) -> Tensor:
        rows = torch.randint(0, len(latents), (batch,), generator=generator)
        hint = random_hints(corpus, rows, generator).expand(-1, 3, -1, -1)
        context = text_states(world.text, random_captions(corpus, rows, generator, none=0.2))

        def predict(x: Tensor, time: Tensor) -> Tensor:
            control = model(x, hint, time, context)
            control = {"input": [], "middle": list(control["middle"]), "output": list(control["output"])}
            return world.unet(x, time, context=context, control=control)

        return flow_loss(predict, latents[rows].float(), generator)

    return optimise(run, model, loss_at, 5e-4)


def random_hints(corpus: Corpus, rows: Tensor, generator: torch.Generator) -> Tensor:
    """Depth maps of scenes [B] as users have them: exact, blurred and coarse, or generic silhouettes: [B, 1, S, S]."""
    exact = corpus.pictures(rows, "depth")
    size = exact.shape[-1]
    small = F.interpolate(exact, size=size // 6, mode="bilinear", antialias=True)
    coarse = F.interpolate(small, size=size, mode="bilinear")
    places, depths, kinds = (corpus.facts(rows, key) for key in ("place", "depth", "kind"))
    plain = silhouettes(places, depths, kinds, size)
    which = torch.rand(len(rows), 1, 1, 1, generator=generator)
    return torch.where(which < 0.4, exact, torch.where(which < 0.6, coarse, plain))


def silhouettes(place: Tensor, depth: Tensor, kind: Tensor, size: int) -> Tensor:
    """Depth maps of nobody in particular, far ones first: head, neck and shoulders at each place, a disc for a prop.

    place [B, P, 3], depth [B, P], kind [B, P] as in `Scene`, with a half height of 0 where there is no figure
    returns [B, 1, size, size] in 0..1, near is bright
    """
    line = (torch.arange(size) + 0.5) / size
    y, x = line[None, :, None], line[None, None, :]
    out = (0.05 + 0.12 * y).expand(len(place), size, size).clone()
    order = (depth + 9.0 * (place[..., 2] <= 0)).argsort(1)
    rows = torch.arange(len(place))
    for rank in range(place.shape[1]):
        index = order[:, rank]
        cx, cy, s = (place[rows, index, i, None, None] for i in range(3))
        u, v = (x - cx) / s.clamp(min=1e-3), (y - cy) / s.clamp(min=1e-3)
        head = (u / 0.85) ** 2 + v**2 < 1
        body = ((u / 1.3) ** 2 + ((v - 2.3) / 1.1) ** 2 < 1) | ((u.abs() < 1.3) & (v > 2.3) & (v < 5.4))
        person = head | body | ((u.abs() < 0.3) & (v > 0) & (v < 2))
        ball = u**2 + (v - 1.2) ** 2 < 1.5
        cover = torch.where(kind[rows, index, None, None] == 0, person, ball) & (s > 0)
        out = torch.where(cover, 0.38 + 0.5 * depth[rows, index, None, None], out)
    return out[:, None].clamp(0, 1)
