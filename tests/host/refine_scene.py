"""Rendered strangers, a cast who are not on the picture, and what Refine Cast is connected to in the demo world."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np
import torch
from pack.attention.recipes.cast import Member
from pack.attention.recipes.recipe_book import recipe_named
from pack.attention.regions.region import Region
from pack.demo.people_by_name import NAMES, photo_of
from pack.demo.renderer import render
from pack.demo.scenes import random_scenes
from pack.face.extraction import extract_identity
from pack.face.onnx_engine import load_engine
from pack.face.pack import read_pack
from pack.nodes.host.adapters.adapter_model import load_adapter
from pack.nodes.host.demo_world import WEIGHTS, load_demo_world
from pack.nodes.host.refine.redrawing import RefineSettings
from pack.nodes.refine.refine_report import Refined
from pack.nodes.refine.refining import refine_pictures
from pack.tests.host.demo_pictures import conditioning

PEOPLE = 5
STRIPS = tuple(Region(str(i + 1), x=i / PEOPLE, width=1 / PEOPLE) for i in range(PEOPLE))
ADAPTER = "troupe-demo-faceid.safetensors"


def pack_of_faces(name: str):
    return load_engine(read_pack(name, WEIGHTS / "insightface" / "models" / name), "CPU")


def strangers(figures: int, seed: int) -> np.ndarray:
    """A rendered picture of people nobody knows, uint8 [128, 128, 3]."""
    scene = random_scenes(1, figures, torch.Generator().manual_seed(seed), props=0.0)
    return (render(scene, 128).picture[0].permute(1, 2, 0) * 255).round().to(torch.uint8).numpy()


class RefineScene:
    """Made once for all tests."""

    def __init__(self, core_nodes) -> None:
        self.core_nodes = core_nodes
        self.model, self.clip, self.vae, _ = load_demo_world()
        self.engine = pack_of_faces("troupe-demo")
        self.adapter = load_adapter(WEIGHTS / "ipadapter" / ADAPTER, ADAPTER)
        self.picture = strangers(PEOPLE, seed=5)

    def prompt(self, text: str) -> list:
        return conditioning(self.core_nodes, self.clip, text)

    @cached_property
    def scorer(self):
        """An engine that had no part in the pictures."""
        return pack_of_faces("troupe-demo-scorer")

    @cached_property
    def cast(self) -> tuple[Member, ...]:
        """Five people who are not on the picture, each in their strip, with a prompt of their own."""
        prompt = self.prompt("one person at the beach, red smiling ahead")
        photos = [(photo_of(name).numpy() * 255).round().astype(np.uint8) for name in NAMES[:PEOPLE]]
        people = [extract_identity(self.engine, [photo], name) for photo, name in zip(photos, NAMES, strict=False)]
        return tuple(Member(who.identity, strip, prompt=prompt) for who, strip in zip(people, STRIPS, strict=True))

    @cached_property
    def quick(self) -> RefineSettings:
        """Settings with which a face takes a tenth of a second."""
        positive, negative = self.prompt("five people at the beach, red smiling ahead"), self.prompt("")
        sampling = {"strength": 1.67, "steps": 1, "cfg": 1.0, "sampler_name": "euler", "size": 128}
        return RefineSettings(positive, negative, recipe_named("Troupe"), seed=7, **sampling)

    @cached_property
    def quickly(self) -> Refined:
        """The whole cast in one step."""
        return self.refine(self.cast)

    @cached_property
    def whole(self) -> Refined:
        """The whole cast with enough steps to be somebody."""
        return self.refine(self.cast, steps=6, cfg=3.0)

    def refine(self, cast, pictures=None, **changes) -> Refined:
        """refine_pictures on the picture; what differs from `quick` by name, the model and the adapter included."""
        pictures = [self.picture] if pictures is None else pictures
        model, adapter = changes.pop("model", self.model), changes.pop("adapter", self.adapter)
        settings = replace(self.quick, **changes)
        return refine_pictures(pictures, tuple(cast), model, self.vae, self.engine, adapter, settings)
