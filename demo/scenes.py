"""Who stands where, wearing what, with which face: random scenes of one to six figures, and photos of one person."""

import math
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from .people import FIELDS, new_identities

MOST = 6
BACKGROUNDS = ("beach", "forest", "night", "city", "desert", "room")
SHIRTS = ("red", "blue", "green", "yellow", "black", "white")
EXPRESSIONS = ("neutral", "smiling", "sad", "surprised")
LOOKS = ("left", "ahead", "right")
KINDS = ("person", "ball", "plant")

# How far each expression smiles, opens the mouth and opens the eyes.
_EXPRESSION_MOTION = torch.tensor([[0.0, 0.0, 0.85], [1.0, 0.12, 0.8], [-1.0, 0.0, 0.55], [0.0, 0.95, 1.0]])
# Half the height of a head, by how many figures there are.
_SIZES = torch.tensor([0.25, 0.195, 0.15, 0.122, 0.103, 0.09])
_SMALLEST, _LARGEST = 0.07, 0.21  # the same of somebody alone who is far away


@dataclass(frozen=True)
class Scene:
    """A batch of scenes with P figures each, left to right. Lengths are fractions of the picture, sizes of its height.

    identity   [B, P, 24] in [0, 1]
    kind       [B, P] index into KINDS
    place      [B, P, 3] centre x, centre y and half height of the head (of the body for a prop)
    motion     [B, P, 5] yaw and roll in -1..1, smile -1..1, mouth open 0..1, eyes open 0..1
    shirt, expression, look  [B, P] indices
    depth      [B, P] 0 far to 1 near; nearer figures cover farther ones
    background [B] index
    """

    identity: Tensor
    kind: Tensor
    place: Tensor
    motion: Tensor
    shirt: Tensor
    expression: Tensor
    look: Tensor
    depth: Tensor
    background: Tensor

    def __len__(self) -> int:
        return len(self.identity)

    def __getitem__(self, rows: Tensor | slice) -> "Scene":
        """Some scenes of the batch, as a batch."""
        return Scene(**{f.name: getattr(self, f.name)[rows] for f in fields(self)})

    @property
    def figures(self) -> int:
        """How many figures each scene of the batch has."""
        return self.identity.shape[1]


def random_scenes(
    count: int,
    figures: int,
    generator: torch.Generator,
    identity: Tensor | None = None,
    props: float = 0.08,
    aspect: float = 1.0,
) -> Scene:
    """`count` scenes of `figures` (1..6) figures, standing left to right with jitter in place, size and depth.

    identity : [count, figures, 24] to draw given people
    props    : the share of figures that are things
    aspect   : width of the picture in heights; in a wide one they are as large as fewer figures are in a square
    """
    device = generator.device

    def uniform() -> Tensor:
        return torch.rand(count, figures, generator=generator, device=device)

    def pick(options: int) -> Tensor:
        return torch.randint(0, options, (count, figures), generator=generator, device=device)

    if identity is None:
        identity = new_identities(count * figures, generator).view(count, figures, len(FIELDS))
    kind = torch.where(uniform() < props, 1 + pick(2), torch.zeros(count, figures, dtype=torch.long, device=device))
    beside = math.ceil(figures / aspect)
    usual = _SIZES.to(device)[beside - 1]
    size = usual * (0.8 + 0.35 * uniform())
    slot = (torch.arange(figures, device=device) + 0.5) / figures
    room = max(0.0, 1 / figures - 1.5 * float(_SIZES[beside - 1]) / aspect)
    x = slot + (uniform() - 0.5) * (0.4 if figures == 1 else room + 0.05)
    edge = size * 0.8 / aspect
    x = torch.minimum(torch.maximum(x, edge), 1 - edge)  # heads stay in the picture
    y = 0.30 + 0.10 / beside + 0.16 * uniform()
    motion, expression, look = random_motion(count, figures, generator)
    return Scene(
        identity=identity,
        kind=kind,
        place=torch.stack([x, y, size], -1),
        motion=motion,
        shirt=pick(len(SHIRTS)),
        expression=expression,
        look=look,
        depth=((size / usual - 0.8) / 0.35 * 0.6 + 0.3 * uniform()).clamp(0, 1),
        background=torch.randint(0, len(BACKGROUNDS), (count,), generator=generator, device=device),
    )


def random_motion(count: int, figures: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Motion [count, figures, 5] with the expression and look indices [count, figures] that it shows."""
    device = generator.device

    def uniform() -> Tensor:
        return torch.rand(count, figures, generator=generator, device=device)

    expression = torch.randint(0, len(EXPRESSIONS), (count, figures), generator=generator, device=device)
    look = torch.randint(0, len(LOOKS), (count, figures), generator=generator, device=device)
    smile, mouth, eyes = _EXPRESSION_MOTION.to(device)[expression].unbind(-1)
    yaw = (look - 1) * (0.55 + 0.4 * uniform()) + (look == 1) * (uniform() - 0.5) * 0.4
    roll = (uniform() - 0.5) * 1.2
    smile = smile * (0.75 + 0.25 * uniform())
    mouth = mouth * (0.8 + 0.2 * uniform())
    eyes = eyes * (0.9 + 0.1 * uniform())
    return torch.stack([yaw, roll, smile, mouth, eyes], -1), expression, look


def distant_scenes(count: int, generator: torch.Generator, identity: Tensor) -> Scene:
    """`count` scenes of one person each, identity [count, 24], as small as people are in company, anywhere across."""
    scene = random_scenes(count, 1, generator, identity[:, None], props=0.0)
    size, across, down = torch.rand(3, count, 1, generator=generator, device=generator.device)
    size = _SMALLEST + (_LARGEST - _SMALLEST) * size
    x = 0.8 * size + (1 - 1.6 * size) * across
    return replace(scene, place=torch.stack([x, 0.32 + 0.16 * down, size], -1))


def photos(identity: Tensor, generator: torch.Generator, kind: int = 0) -> Scene:
    """One photo of each identity [B, 24], alone, with pose, expression, shirt, size and background of its own.

    kind : index into KINDS; the same numbers drawn as a person or as a thing
    """
    scene = random_scenes(len(identity), 1, generator, identity[:, None], props=0.0)
    zoom = 0.75 + 0.4 * torch.rand(len(identity), 1, 1, generator=generator, device=generator.device)
    place = torch.cat([scene.place[..., :2], scene.place[..., 2:] * zoom], -1)
    return replace(scene, place=place, kind=torch.full_like(scene.kind, kind))
