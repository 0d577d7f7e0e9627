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
OVERLAPS = (
    4.0  # how much more a place counts where one person stands before another: who is in front is seen nowhere else
)
FLOOR, DEEP = 0.38, 0.5  # brightness of a plane at depth 0, and how much brighter it is at 1
FAR, NEAR = 0.45, 0.85  # the same where planes follow the order alone, as in a drawn layout


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

        weight = overlap_weight(corpus.facts(rows, "place"), corpus.facts(rows, "kind"), latents.shape[-1])
        return flow_loss(predict, latents[rows].float(), generator, weight)

    return optimise(run, model, loss_at, 5e-4)


def random_hints(corpus: Corpus, rows: Tensor, generator: torch.Generator) -> Tensor:
    """Depth maps of scenes [B] as users have them: exact, blurred and coarse, or generic silhouettes: [B, 1, S, S]."""
    exact = corpus.pictures(rows, "depth")
    size = exact.shape[-1]
    small = F.interpolate(exact, size=size // 6, mode="bilinear", antialias=True)
    coarse = F.interpolate(small, size=size, mode="bilinear")
    places, depths, kinds = (corpus.facts(rows, key) for key in ("place", "depth", "kind"))
    drawn = torch.rand(len(rows), 1, generator=generator) < 0.5
    planes = torch.where(drawn, even_planes(places, depths), FLOOR + DEEP * depths)
    plain = silhouettes(places, planes, kinds, size)
    which = torch.rand(len(rows), 1, 1, 1, generator=generator)
    return torch.where(which < 0.3, exact, torch.where(which < 0.45, coarse, plain))


def even_planes(place: Tensor, depth: Tensor) -> Tensor:
    """The brightness of each figure's plane by its order alone, in even steps: [B, P], of depth [B, P].

    place : [B, P, 3]; figures with a half height of 0 are nobody and stand behind all others
    """
    there = place[..., 2] > 0
    behind = depth.masked_fill(~there, -1.0)
    rank = (behind[:, None, :] > behind[:, :, None]).sum(-1)  # how many are nearer
    steps = (there.sum(1, keepdim=True) - 1).clamp(min=1)
    return NEAR - (NEAR - FAR) * (rank / steps).clamp(max=1)


def silhouettes(place: Tensor, brightness: Tensor, kind: Tensor, size: int) -> Tensor:
    """Depth maps of nobody in particular, far ones first: head, neck and shoulders at each place, a disc for a prop.

    place [B, P, 3], kind [B, P] as in `Scene`, with a half height of 0 where there is no figure
    brightness : [B, P] in 0..1 of each figure's plane, near is bright
    returns [B, 1, size, size] in 0..1
    """
    line = (torch.arange(size) + 0.5) / size
    out = (0.05 + 0.12 * line[None, :, None]).expand(len(place), size, size).clone()
    covers = figure_covers(place, kind, size)
    rows = torch.arange(len(place))
    order = brightness.argsort(1)
    for rank in range(place.shape[1]):
        index = order[:, rank]
        out = torch.where(covers[rows, index], brightness[rows, index, None, None], out)
    return out[:, None].clamp(0, 1)


def figure_covers(place: Tensor, kind: Tensor, size: int) -> Tensor:
    """Where each figure stands, whoever hides them: bool [B, P, size, size]; nowhere for a half height of 0."""
    line = (torch.arange(size) + 0.5) / size
    cx, cy, s = place[..., None, None].unbind(2)
    u, v = (line - cx) / s.clamp(min=1e-3), (line[:, None] - cy) / s.clamp(min=1e-3)
    head = (u / 0.85) ** 2 + v**2 < 1
    body = ((u / 1.3) ** 2 + ((v - 2.3) / 1.1) ** 2 < 1) | ((u.abs() < 1.3) & (v > 2.3) & (v < 5.4))
    person = head | body | ((u.abs() < 0.3) & (v > 0) & (v < 2))
    ball = u**2 + (v - 1.2) ** 2 < 1.5
    return torch.where(kind[..., None, None] == 0, person, ball) & (s > 0)


def overlap_weight(place: Tensor, kind: Tensor, cells: int) -> Tensor:
    """How much each cell counts: OVERLAPS where two figures stand, 1 elsewhere, [B, 1, cells, cells]."""
    both = figure_covers(place, kind, cells).sum(1) > 1
    return 1 + (OVERLAPS - 1) * both[:, None].float()
