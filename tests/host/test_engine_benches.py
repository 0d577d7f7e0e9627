"""The benches `speed` and `leak` on small UNets: what they time, count and look for is what is there."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from pack.attention.recipes.recipe import RECIPES, Recipe
from pack.scripts.benches import Settings, accelerator, leak, speed
from pack.scripts.benches.engine import picture_people
from pack.scripts.benches.engine.counts import count
from pack.scripts.benches.engine.latent_leak import EVERYWHERE
from pack.scripts.benches.engine.layer_leak import everywhere, hard_boxes, leak_figure, shares_outside
from pack.scripts.benches.engine.part_rows import PARTS, arithmetic_ratio, multiplications
from pack.scripts.benches.engine.region_rows import region_rows
from pack.scripts.benches.engine.rigs import Shape, Workshop
from pack.scripts.benches.engine.runs import within_runs
from pack.scripts.benches.engine.structures import SD15, SDXL
from pack.scripts.benches.engine.timing import first_call_figure, ratio_figure, time_in_turns
from pack.scripts.benches.engine.watching import watching
from pack.scripts.bootstrap.console import Console
from pack.scripts.bootstrap.installation import Installation
from pack.scripts.bootstrap.places import Places
from pack.scripts.figures.samples import Samples
from pack.tests.host.conftest import ROOT, host_folder

INSTALLATION = Installation(Path(), Path(), Path(), private=True)
SMALL = Shape(SD15.narrow(), torch.float32, 128)
LAYERS = 16


@pytest.fixture(scope="module")
def workshop():
    return Workshop(INSTALLATION)


@pytest.fixture
def rig(workshop):
    return workshop.rig(SMALL)


def replaced(rig, function):
    """The model with `function(q)` called in every layer before the attention to the text."""

    def layer(q, k, v, options):
        function(q)
        q, k, v = (t.unflatten(-1, (options["n_heads"], -1)).transpose(1, 2) for t in (q, k, v))
        return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)

    model = rig.model.clone()
    for block in ("input", "output", "middle"):
        for number in range(12):
            model.set_model_attn2_replace(layer, block, number)
    return model


def watched(rig, model):
    def job(call):
        with watching(model) as watch:
            call()
        return watch

    return within_runs(SMALL.structure, [model], SMALL.size, job)


@pytest.mark.parametrize("mode", RECIPES)
def test_hard_boxes_leak_exactly_nothing_in_any_layer(rig, mode):
    shares = [share for index in range(3) for share in shares_outside(rig, RECIPES[mode], hard_boxes(), index)]

    assert shares == [0.0] * len(shares)
    assert len(shares) >= 3 * (LAYERS - 1)  # at 128 px the middle block has 2 x 2 cells, and a box may touch them all


def test_a_leak_is_found_where_there_is_one(rig):
    literal = leak_figure(rig, Recipe("masked", literal=True), hard_boxes())
    spread = leak_figure(rig, EVERYWHERE, everywhere())

    assert literal.value > 1e-3
    assert 0.5 < spread.value < 1


@pytest.mark.parametrize(("structure", "layers"), [(SD15, LAYERS), (SDXL, 70)], ids=("SD1.5", "SDXL"))
@pytest.mark.parametrize("mode", RECIPES)
def test_layers_attend_once_project_nothing_and_wait_for_nothing(workshop, structure, layers, mode):
    shape = SMALL if structure is SD15 else Shape(structure.narrow(), torch.float32, 64)
    rig = workshop.rig(shape)
    found = count(shape.structure, rig.model, rig.patched(RECIPES[mode], 8), rig.adapter, shape.size)

    assert found.attention == [1] * 3 * layers
    assert found.waits == [0] * 3 * layers
    assert found.later_projections == [0, 0, 0]
    assert found.first_projections >= 2 * layers


@pytest.mark.parametrize(
    "wait",
    [
        lambda q: q.sum().item(),
        lambda q: bool(q.sum() > 0),
        lambda q: q[q > 0],
        lambda q: q.nonzero(),
        lambda q: q.masked_select(q > 0),
        lambda q: torch.tensor([1.0, 2.0]),
        lambda q: torch.equal(q, q),
    ],
    ids=("item", "bool", "mask", "nonzero", "select", "from Python", "equal"),
)
def test_a_layer_that_waits_for_the_device_is_counted(rig, wait):
    plain, waiting = watched(rig, rig.model), watched(rig, replaced(rig, wait))

    assert [waiting.waits[i] - plain.waits[i] for i in range(LAYERS)] == [1] * LAYERS
    assert [waiting.attention[i] for i in range(LAYERS)] == [plain.attention[i] for i in range(LAYERS)] == [1] * LAYERS


def test_attention_by_hand_is_counted_and_plain_arithmetic_is_not(rig):
    by_hand = watched(rig, replaced(rig, lambda q: (q @ q.mT).softmax(-1) @ q))
    mass = watched(rig, replaced(rig, lambda q: (q @ q.mT).logsumexp(-1)))
    free = watched(rig, replaced(rig, lambda q: q.index_select(1, torch.arange(2)).add(1).clone()))

    assert [by_hand.attention[i] for i in range(LAYERS)] == [2] * LAYERS
    assert [mass.masses[i] for i in range(LAYERS)] == [1] * LAYERS
    assert [free.waits[i] for i in range(LAYERS)] == [0] * LAYERS


def test_pairs_are_calls_of_the_plain_and_of_the_patched_model_in_turns(rig):
    patched, order = rig.patched(RECIPES["decoupled"], 2), []

    def attention_calls(call):
        with watching(rig.model) as watch:
            call()
        order.append(watch.attention.total())
        return float(order[-1])

    found = time_in_turns(SMALL.structure, rig.model, patched, SMALL.size, 2, 3, attention_calls)

    plain, own = 2 * LAYERS, 3 * LAYERS  # self-attention, the text, and one call for everybody
    first, second = [plain, own], [own, plain]
    assert order == [own, *first, *second, *first, own, *second, *first, *second]
    assert {name: len(values) for name, values in found.items()} == {"first": 2, "plain": 6, "patched": 6}
    ratio = ratio_figure(found)
    assert (ratio.value, ratio.low, ratio.high, ratio.samples) == (1.5, 1.5, 1.5, 6)
    assert first_call_figure(found).value == 0


def test_multiplications_are_those_of_matrices_convolutions_and_attention():
    q, k = torch.randn(1, 2, 8, 4), torch.randn(1, 2, 16, 4)

    def call():
        F.linear(torch.randn(3, 5), torch.randn(7, 5))
        F.conv2d(torch.randn(1, 2, 6, 6), torch.randn(3, 2, 3, 3), padding=1)
        F.scaled_dot_product_attention(q, k, k)

    assert multiplications(call) == 2 * (3 * 5 * 7 + 36 * 9 * 2 * 3 + 2 * 2 * 8 * 16 * 4)


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
def test_each_part_does_its_own_arithmetic(rig, part):
    alone = arithmetic_ratio(rig, rig.patched(RECIPES["decoupled"], 2))
    ratio = arithmetic_ratio(rig, part.patched(rig, 2))

    if part.name == "isolation":  # people see less
        assert 0.9 < ratio < alone
    elif part.name == "everything apart":  # the cells at the border are computed twice
        assert alone < ratio < 1.5
    elif part.name == "half isolation":
        assert ratio == alone
    elif part.name == "local prompts":
        assert alone < ratio < 1.2
    else:  # two photos of 256 px beside two rows of a picture of 128 px
        assert 1 + 2 * 4 / 2 < ratio < 6.5


def test_runs_that_are_open_at_once_do_not_disturb_each_other(rig):
    patched = rig.patched(RECIPES["decoupled"], 2)
    (alone,) = (within_runs(SMALL.structure, [model], SMALL.size, lambda call: call()) for model in [patched])
    plain, beside, after = within_runs(
        SMALL.structure, [rig.model, patched], SMALL.size, lambda one, other: (one(), other(), one())
    )

    assert torch.equal(alone, beside)
    assert not torch.equal(plain, beside)
    assert not torch.equal(plain, after)  # the run went on to its next step


def test_swapping_a_person_changes_the_sampled_latent_in_both_halves(tmp_path):
    """In a process of its own, as where all rows before this one are kept from an earlier run."""
    program = f"""
import pack_alias
from pathlib import Path
from pack.attention.recipes.recipe import RECIPES
from pack.scripts.benches.engine.latent_leak import changes
from pack.scripts.benches.offline_world.workbench import QUICK, Workbench
from pack.scripts.bootstrap.installation import Installation
from pack.scripts.figures.samples import Samples
host = Installation(Path({str(host_folder())!r}), Path({sys.executable!r}), Path(), private=True)
samples = Samples(Path({str(tmp_path / "samples.jsonl")!r}), "key")
bench = Workbench(Path({str(ROOT / "demo" / "weights")!r}), host, QUICK, samples, status=lambda _text: None)
changes(bench, "decoupled", RECIPES["decoupled"], 1)
"""
    said = subprocess.run([sys.executable, "-c", program], cwd=ROOT / "scripts", capture_output=True, text=True)

    assert said.returncode == 0, said.stderr
    found = Samples(tmp_path / "samples.jsonl", "key").found["decoupled: latents"]
    assert 0 < found["outside"][0] < 1
    assert 0 < found["size"][0] < 10


PEOPLE_ROWS = 2 * 3  # equal and unequal regions, of two, four and eight people


@pytest.mark.parametrize("people", [1, 2, 8])
@pytest.mark.parametrize("parts", picture_people.PARTS)
def test_people_of_pulid_share_the_same_rows_however_they_are_divided(people, parts):
    share = picture_people.shares(8, people, parts)

    assert share.shape == (1, 64, people)
    assert share.sum(-1).flatten().tolist() == [1.0] * 48 + [0.0] * 16
    assert (share.sum((0, 1)) > 0).all()


def test_all_layers_of_pulid_are_a_twenty_fifth_of_flux_1s_work_on_a_row():
    work = 19 * 3072 * (3 * 3072 + 3072 + 8 * 3072) + 38 * 3072 * (3 * 3072 + 4 * 3072 + 5 * 3072)

    assert picture_people.linear_work() == work
    assert picture_people.counted_row(Workshop(INSTALLATION)).measure().value == pytest.approx(0.039, abs=5e-4)


@pytest.mark.parametrize(
    ("bench", "count"),
    [
        (speed, len(list(region_rows())) + 4 * 3 + 2 * len(PARTS) + 2 * 5 * 3 + 2 * 5 + PEOPLE_ROWS + 1),
        (leak, 2 * 6 + 2 * 4 + 2 * 3 + 4 * 4),
        (accelerator, 2 * 5 + 2 * (2 * 3 + 4) + 1 + 3 * 2 * 2 + PEOPLE_ROWS),
    ],
    ids=("speed", "leak", "accelerator"),
)
def test_every_mode_has_rows_and_no_two_share_a_name(bench, count, tmp_path):
    places = Places(home=tmp_path)
    rows = bench.rows(Settings(True, INSTALLATION, places, Console()))

    assert len({row.name for row in rows}) == len(rows) == count
    for mode in RECIPES:
        assert sum(f"{mode}" in row.name for row in rows) >= 2
