"""What is queued run after run: prompts for the demo world that differ in everything a user changes.

The kinds come again and again in the same order, so that the means of whole rounds can be compared; where people
stand, in which order, how strongly they act and the seed are drawn anew for every run. People take turns: after four
rounds each kind with several has had everybody, and what is kept of a photo is no growth then.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass

from ....demo.people_by_name import NAMES

STEPS = 3
WORDS = ("no", "one", "two", "three", "four")


@dataclass(frozen=True)
class Kind:
    """What stays the same from round to round.

    people   : how many members
    size     : width and height of the picture
    shape    : of the regions
    recipe   : of Apply Cast
    prompted : members have prompts of their own
    depth    : a depth layout and the demo's ControlNet
    subjects : members are pictures, for the plain adapter, instead of faces
    scored   : Score Cast looks at the picture
    """

    people: int
    size: tuple[int, int]
    shape: str
    recipe: str
    prompted: bool = False
    depth: bool = False
    subjects: bool = False
    scored: bool = False


KINDS = (
    Kind(2, (128, 128), "box", "Troupe", prompted=True, scored=True),
    Kind(3, (160, 96), "ellipse", "masked", depth=True),
    Kind(1, (96, 128), "box", "gated"),
    Kind(4, (192, 96), "box", "MultiID"),
    Kind(2, (128, 160), "ellipse", "AnyMS", subjects=True),
)


def prompt_of(run: int) -> dict:
    """The API prompt of a run, the same whenever it is asked for."""
    kind, draw = KINDS[run % len(KINDS)], random.Random(run)
    first = run // len(KINDS) * kind.people
    people = [NAMES[number % len(NAMES)] for number in range(first, first + kind.people)]
    nodes = _world(kind) | _regions(kind, draw)
    cast = None
    for place, person in enumerate(draw.sample(people, kind.people)):
        nodes |= _member(kind, place, person, cast, draw)
        cast = [f"member {place}", 0]
    nodes |= _prompts(kind)
    return nodes | _picture(kind, cast, draw)


def _node(kind: str, **inputs: object) -> dict:
    return {"class_type": kind, "inputs": inputs}


def _world(kind: Kind) -> dict:
    file = f"troupe-demo-{'subject' if kind.subjects else 'faceid'}.safetensors"
    vision = {"clip_vision": ["world", 4]} if kind.subjects else {}
    return {
        "engine": _node("Troupe_LoadFaceEngine", pack="troupe-demo", provider="auto"),
        "world": _node("Troupe_LoadDemoWorld"),
        "adapter": _node("Troupe_LoadAdapter", file=file, format="auto", **vision),
    }


def _regions(kind: Kind, draw: random.Random) -> dict:
    """A region for each member, somewhere in a strip of its own."""
    places = []
    for place in range(kind.people):
        left, wide = draw.uniform(0.0, 0.1), draw.uniform(0.7, 0.9)
        top = draw.uniform(0.0, 0.3)
        box = {"x": (place + left) / kind.people, "y": top, "width": wide / kind.people, "height": 1 - top}
        places.append({"name": f"place {place}", "shape": kind.shape, **box, "rotation": 0, "order": place})
    text = json.dumps({"version": 2, "regions": places})
    width, height = kind.size
    return {"regions": _node("Troupe_DrawRegions", width=width, height=height, regions=text)}


def _member(kind: Kind, place: int, person: str, cast: list | None, draw: random.Random) -> dict:
    """A photo, an identity of it, and a member of it."""
    photo, who, words = f"photo {place}", f"identity {place}", f"words {place}"
    nodes = {photo: _node("Troupe_DemoPhoto", person=person)}
    if kind.subjects:
        nodes[who] = _node("Troupe_IdentityFromImage", image=[photo, 0], name=person)
    else:
        nodes[who] = _node(
            "Troupe_ExtractIdentity", engine=["engine", 0], image=[photo, 0], name=person, select="largest"
        )
    more: dict[str, object] = {"cast": cast} if cast else {}
    if kind.prompted:
        nodes[words] = _node("CLIPTextEncode", clip=["world", 1], text=f"{WORDS[kind.people]} beach, red shirt")
        more["prompt"] = [words, 0]
    nodes[f"member {place}"] = _node(
        "Troupe_CastMember",
        identity=[who, 0],
        regions=["regions", 0],
        region=f"place {place}",
        strength=round(draw.uniform(0.5, 1.0), 2),
        **more,
    )
    return nodes


def _prompts(kind: Kind) -> dict:
    """Both prompts, under the names `positive` and `negative`, and what a ControlNet makes of them."""
    text = f"a photo of {WORDS[kind.people]} {'people' if kind.people > 1 else 'person'} at the beach"
    nodes = {
        "positive": _node("CLIPTextEncode", clip=["world", 1], text=text),
        "negative": _node("CLIPTextEncode", clip=["world", 1], text=""),
    }
    if kind.depth:
        width, height = kind.size
        nodes["depth"] = _node(
            "Troupe_DepthLayout", regions=["regions", 0], width=width, height=height, pose="bust", poses="", heads=3.2,
            near=0.85, far=0.45, ground=0.2,
        )  # fmt: skip
        nodes["control"] = _node(
            "ControlNetApplyAdvanced", positive=["positive", 0], negative=["negative", 0], control_net=["world", 3],
            image=["depth", 0], strength=1.0, start_percent=0.0, end_percent=1.0,
        )  # fmt: skip
    return nodes


def _picture(kind: Kind, cast: list | None, draw: random.Random) -> dict:
    width, height = kind.size
    prompts = {"positive": ["control", 0], "negative": ["control", 1]}
    if not kind.depth:
        prompts = {"positive": ["positive", 0], "negative": ["negative", 0]}
    nodes = {
        "applied": _node(
            "Troupe_ApplyCast", model=["world", 0], cast=cast, adapter=["adapter", 0], recipe=kind.recipe, strength=0.7,
            vae=["world", 2],
        ),
        "latent": _node("EmptyLatentImage", width=width, height=height, batch_size=1),
        "sampled": _node(
            "KSampler", model=["applied", 0], latent_image=["latent", 0], seed=draw.randrange(2**32), steps=STEPS,
            cfg=3.0, sampler_name="euler", scheduler="simple", denoise=1.0, **prompts,
        ),
        "image": _node("VAEDecode", samples=["sampled", 0], vae=["world", 2]),
        "saved": _node("SaveImage", images=["image", 0], filename_prefix="endure"),
    }  # fmt: skip
    if kind.scored:
        nodes["scored"] = _node("Troupe_ScoreCast", engine=["engine", 0], images=["image", 0], cast=cast)
    return nodes
