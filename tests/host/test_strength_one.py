"""The demo's adapter at strength 1: the pictures that the file as it was trained drew at its best strength."""

from dataclasses import replace

import pytest
import torch
from pack.demo.people_by_name import photo_of
from pack.demo.train.as_published import BEST, times
from pack.nodes.cast.adapter_nodes import LoadAdapter
from pack.nodes.cast.cast_nodes import ApplyCast, CastMember
from pack.nodes.faces.face_nodes import ExtractIdentity, LoadFaceEngine
from pack.nodes.host.adapters.adapter_model import load_adapter
from pack.nodes.regions.region_nodes import DrawRegions
from pack.nodes.setup.demo_nodes import LoadDemoWorld
from pack.scripts.bootstrap.places import ROOT
from pack.tests.host.test_cast_board import board, drawn
from safetensors.torch import load_file, save_file

FILE = "troupe-demo-faceid.safetensors"


@pytest.mark.parametrize("recipe", ["Troupe", "gated"])
def test_one_is_the_best_strength_of_before_to_a_step_of_eight_bits(core_nodes, tmp_path, recipe):
    (part,) = BEST
    as_trained = times(load_file(ROOT / "demo" / "weights" / part), 1 / BEST[part])
    save_file(as_trained, tmp_path / FILE, {"recogniser": "4b165a736e492826"})
    adapters = LoadAdapter.execute(FILE, "auto").args[0], load_adapter(tmp_path / FILE, FILE)
    world = LoadDemoWorld.execute().args
    engine = LoadFaceEngine.execute("troupe-demo", "CPU").args[0]
    regions = DrawRegions.execute(128, 128, board({"Ada": {}, "Dev": {}})).args[0]
    cast = None
    for name in ("Ada", "Dev"):
        identity = ExtractIdentity.execute(engine, photo_of(name)[None], name, "largest").args[0]
        cast = CastMember.execute(identity, regions, name, 1.0, cast).args[0]

    pictures = [
        drawn(core_nodes, world, ApplyCast.execute(world[0], cast, recipe, strength, adapter).args[0])
        for adapter, strength in zip(adapters, (1.0, BEST[part]), strict=True)
    ]

    assert torch.equal(adapters[0].module.to_key[0].weight, adapters[1].module.to_key[0].weight)
    assert (pictures[0] - pictures[1]).abs().max() < 1.5 / 255
    empty = tuple(replace(member, strength=0.0) for member in cast)
    plain = drawn(core_nodes, world, ApplyCast.execute(world[0], empty, recipe, 1.0, adapters[0]).args[0])
    assert (pictures[0] - plain).abs().max() > 20 / 255
