"""The bench `adapters` counts the calls that InstantID people take of a step, in one cast and one by one."""

import pytest
import torch
from pack.scripts.benches import Settings, adapters
from pack.scripts.benches.engine.instantid_calls import in_one_cast, one_by_one
from pack.scripts.benches.engine.rigs import Shape, Workshop
from pack.scripts.benches.engine.structures import SDXL
from pack.scripts.bootstrap.console import Console
from pack.scripts.bootstrap.places import Places
from pack.tests.host.test_engine_benches import INSTALLATION


@pytest.fixture(scope="module")
def rig():
    return Workshop(INSTALLATION).rig(Shape(SDXL.narrow(), torch.float32, 64))


def test_people_of_one_cast_take_the_calls_of_one_and_one_by_one_a_call_each(rig):
    together, apart = in_one_cast(rig, 3), one_by_one(rig, 3)

    assert together.unet == together.control == [[2]] * 3
    assert apart.unet == apart.control == [[2] * 3] * 3


def test_every_number_of_people_has_its_rows(tmp_path):
    rows = adapters.rows(Settings(True, INSTALLATION, Places(home=tmp_path), Console()))
    counted = [row for row in rows if "InstantID" in row.name]

    assert len({row.name for row in rows}) == len(rows)
    assert [row.bound for row in counted] == [1, 1, 2, None, None] * len(adapters.COUNTS)
