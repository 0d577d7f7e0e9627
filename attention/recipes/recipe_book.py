"""The recipes a user chooses from, the four published systems among them, and the switches of their ablations.

Every constant has its source beside it. What a paper leaves open, or what is not public, is marked as our default.
Strength, regions, the depth ControlNet and the adapter are the graph's.
"""

from __future__ import annotations

from dataclasses import replace

from .recipe import RECIPES, Gate, Isolation, Recipe, References, Routing

# MultiID, arXiv 2511.20401. Known from its abstract: identities only in their regions, local prompts, depth control,
# extended self-attention. Its body text is not public to us, so every number here is our default.
MULTIID = Recipe(
    "decoupled",
    compositor="normalise",  # our default: UniPortrait's masks, arXiv 2408.05939
    base=0.2,  # our default: between the 0.1 and 0.3 of public regional prompting for FLUX
    references=References(
        odds=1.0,  # our default: a photo's token counts as one of the picture's
        start=0.08,  # our default: MasaCtrl's 4 of 50 steps, arXiv 2304.08465
        end=0.8,  # our default
        layers="decoder",  # our default: MasaCtrl and FreeCustom, layers 10 to 15 of 16
        size=256,  # our default, for every model
    ),
    routing=Routing(),  # our default: references beside the picture are what such models do by themselves
)

# AnyMS, arXiv 2512.23537: crop-and-merge at all layers and steps, later boxes overwritten by those in front.
ANYMS = Recipe(
    "decoupled",
    compositor="depth",  # section "local decoupling": fixed priority in overlaps, here the drawn one, then the cast's
    hard=True,  # a box is assigned, not blended
    prompts=False,  # one prompt for the whole picture
)

# DynamicID, arXiv 2503.06505, equations of the semantic-activated attention: out = text + w * attention.
DYNAMICID = Recipe(
    "gated",
    prompts=False,
    gate=Gate(),  # one gate per identity, min-max over all queries, no threshold: as printed
)
# Its published code: one gate for all, threshold 0.3, boost of 4 in the first 3 of 50 steps.
DYNAMICID_RELEASED = replace(
    DYNAMICID, gate=Gate(released=True, threshold=0.3, boost=4.0, boost_steps=0, boost_end=0.06)
)

# InstantFamily, arXiv 2404.19427: one softmax over text and faces, in UNet and ControlNet. Its weights and its local
# tokens (the recogniser's feature map) are not published: the tokens are those of the adapter at hand.
INSTANTFAMILY = Recipe(
    "masked",
    compositor="normalise",  # our default: the paper does not say what overlaps do
    hard=True,  # section 4.2, eq. 8: masks are 1 inside the box and 0 outside
    odds=RECIPES["masked"].odds,  # our default: adapters of others were trained beside the text, not in its softmax
    margin=0.25,  # section 4.2: boxes grow by 25 %; on each side is our reading
    prompts=False,
    reach=True,  # sections 3.2 and 3.4: the ControlNet attends to the same stack
)

# Ours: what the search on the demo world found best (docs/decisions.md).
TROUPE = Recipe(
    "decoupled",
    base=0.0,  # a region reads its own prompt alone; isolation, feather, start and reach brought nothing there
    routing=Routing(),
)

RECIPE_BOOK = {
    "Troupe": TROUPE,
    "MultiID": MULTIID,
    "AnyMS": ANYMS,
    "DynamicID": DYNAMICID,
    "DynamicID (released)": DYNAMICID_RELEASED,
    "InstantFamily": INSTANTFAMILY,
    **RECIPES,
}

# What each paper's ablation takes away. The depth map of MultiID is a node of the graph, not of the recipe.
ABLATIONS = {
    "MultiID": {
        "without decoupling": replace(MULTIID, everywhere=True),
        "without local prompts": replace(MULTIID, prompts=False),
        "without references": replace(MULTIID, references=References()),
    },
    "AnyMS": {
        "without crop-and-merge": replace(ANYMS, compositor="sum"),
        "without local decoupling": replace(ANYMS, everywhere=True),
    },
    "DynamicID": {
        "without the gate": replace(DYNAMICID, mode="decoupled"),
        "as released": DYNAMICID_RELEASED,
    },
    "InstantFamily": {
        "literal": replace(INSTANTFAMILY, literal=True),
        "without margin": replace(INSTANTFAMILY, margin=0.0),
        "without the ControlNet": replace(INSTANTFAMILY, reach=False),
    },
    "Troupe": {
        "with isolation": replace(TROUPE, isolation=Isolation(eta=0.0)),
        "with everything apart": replace(TROUPE, isolation=Isolation(eta=0.0, apart_in="everything")),
        "without local prompts": replace(TROUPE, prompts=False),
    },
}


def recipe_named(name: str) -> Recipe:
    """The recipe of that name; ValueError with the names there are."""
    if name not in RECIPE_BOOK:
        raise ValueError(f"Troupe: there is no recipe '{name}'. Choose one of {', '.join(RECIPE_BOOK)}.")
    return RECIPE_BOOK[name]
