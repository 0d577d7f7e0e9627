"""What a recipe sets: every knob of the ways to bring a cast into a picture, and the modes with nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field

from .layer_strengths import LayerStrengths

# How many tokens of text a token of a person counts as at strength 1. Adapters were trained beside the text, not in one
# softmax with it, so 1 is weak; the likeness of two people in the demo world still grows up to twice this.
ODDS = 16.0
PHOTOS = ("average", "one per picture", "concatenate")
LAYERS = ("decoder", "all")
BACKGROUNDS = ("shared", "apart")
APART_IN = ("self-attention", "everything")
CROPS = ("bust", "head", "photo")
PLACES = ("auto", "in order", "each first")
TOKENS = ("all", "figure", "face")


@dataclass(frozen=True)
class Gate:
    """How a gate is made (DynamicID, arXiv 2503.06505, section 3.2, and its released code).

    joint     : one gate from the keys of all identities, instead of one for each
    regional  : the range is taken over an identity's own region, not over the whole grid
    low, high : percentiles that become 0 and 1; 0 and 100 are the smallest and the largest response
    threshold : gates below it are 0
    released  : the authors' released form: joint, before any mask, with the boost below
    boost     : in the first steps w + boost inside regions and w / (boost + 1) outside, in the released form
    boost_steps : how many steps these are
    boost_end : up to this part of the schedule the boost acts as well, however many steps that is
    """

    joint: bool = False
    regional: bool = False
    low: float = 0.0
    high: float = 100.0
    threshold: float = 0.0
    released: bool = False
    boost: float = 0.0
    boost_steps: int = 3
    boost_end: float = 0.0


@dataclass(frozen=True)
class Isolation:
    """How far people are kept from each other.

    eta        : weight of other people's tokens, 1 for plain attention, 0 for none
    start, end : the part of the schedule, in fractions from its begin
    cells      : grids with more rows or columns than this are left alone; light and contact still spread there
    background : a name from BACKGROUNDS
    apart_in   : "self-attention", or "everything": convolutions, group norms and ControlNets too
    """

    eta: float = 1.0
    start: float = 0.0
    end: float = 0.6
    cells: int = 32
    background: str = "shared"
    apart_in: str = "self-attention"

    @property
    def covers_everything(self) -> bool:
        """Whether people are kept apart outside of self-attention too."""
        return self.eta < 1 and self.apart_in == "everything"


@dataclass(frozen=True)
class References:
    """Self-attention to reference photos (attention.isolation.grouped_attention).

    odds       : lambda, how many tokens of the picture one token of a photo counts as; 0 leaves photos out
    start, end : the part of the schedule, in fractions from its begin
    layers     : "decoder" or "all"
    match_mean : give photos' keys and values the picture's mean, so that its style stays its own
    size       : side of the encoded photos, in pixels
    """

    odds: float = 0.0
    start: float = 0.08
    end: float = 0.8
    layers: str = "decoder"
    match_mean: bool = False
    size: int = 256


@dataclass(frozen=True)
class Routing:
    """Who sees whom in models whose one attention holds text, picture and references (attention.routing).

    policy      : a name from attention.routing.policies.POLICIES
    apart_until : up to this part of the schedule the policy is "apart"
    size        : side of encoded photos, in pixels
    crop        : what of a photo is encoded, from CROPS: twice the face, three and a half times it, or all of it
    place       : where the model takes references to lie, from PLACES: one behind the other, or each member's where
                  the first one lies; "auto" is what the model's family was trained with
    tokens      : which tokens of photos are kept, from TOKENS: all, those of head and body, or those of the face
    """

    policy: str = "closed"
    apart_until: float = 0.0
    size: int = 512
    crop: str = "bust"
    place: str = "auto"
    tokens: str = "all"


@dataclass(frozen=True)
class Recipe:
    """What a recipe sets.

    mode       : "decoupled": every identity has a softmax of its own (attention.operators.decoupled)
                 "masked": one softmax over the text and all identities (attention.operators.masked)
                 "gated": decoupled, scaled by how strongly each query responds (attention.operators.gated)
    compositor : a name from attention.regions.compositors, or None for the one that suits the regions' shapes
    hard       : whether a cell belongs to a region wholly or not at all
    feather    : blur of the regions' edges, in parts of the picture's shorter side (attention.regions.feathering)
    start, end : the part of the schedule in which identities act, in fractions from its begin
    layers     : strengths of single layers
    photos     : "average": a person is the mean direction of their photos; "one per picture": the pictures of a batch
                 take turns with the photos; "concatenate": the tokens of all photos stand side by side
    odds       : in masked mode, how many tokens of text one token of an identity counts as, at strength 1
    literal    : in masked mode, multiply logits by masks as published, instead of adding -inf
    gate       : in gated mode
    base       : of members with a prompt of their own, the part that the picture's prompt keeps
    prompts    : whether such prompts are used at all
    margin     : room around regions, in parts of their size on each side (attention.regions.feathering)
    isolation  : how far people are kept from each other in self-attention
    references : self-attention to members' reference photos
    reach      : whether identities also act in the cross-attention of ControlNets
    everywhere : whether regions are ignored and everybody acts on the whole picture; for ablations
    routing    : in models without cross-attention; None for recipes that are about cross-attention
    """

    mode: str
    compositor: str | None = None
    hard: bool = False
    feather: float = 0.0
    start: float = 0.0
    end: float = 1.0
    layers: LayerStrengths = field(default_factory=LayerStrengths)
    photos: str = "average"
    odds: float = 1.0
    literal: bool = False
    gate: Gate = field(default_factory=Gate)
    base: float = 0.2
    prompts: bool = True
    margin: float = 0.0
    isolation: Isolation = field(default_factory=Isolation)
    references: References = field(default_factory=References)
    reach: bool = False
    everywhere: bool = False
    routing: Routing | None = None

    @property
    def one_softmax(self) -> bool:
        """Whether people share a softmax with the text, where repeated tokens of it count that often."""
        return self.mode == "masked"

    @property
    def merges(self) -> bool:
        """Whether members with the same tokens may be one: not where each has a gate or a mask of its own."""
        return self.mode == "decoupled" or (self.mode == "masked" and not self.literal)


RECIPES = {
    "decoupled": Recipe("decoupled"),
    "masked": Recipe("masked", odds=ODDS),
    "gated": Recipe("gated"),
}
