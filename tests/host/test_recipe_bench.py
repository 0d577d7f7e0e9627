"""The bench `recipes` in the real host: rows of every recipe, prompts and photos that arrive, noise that is shared."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pack.attention.recipes.recipe_book import ABLATIONS, RECIPE_BOOK
from pack.scripts.benches.offline_world.drawing import Host, Sampling
from pack.scripts.benches.offline_world.members import members_of, pictures_of, with_small_photos
from pack.scripts.benches.offline_world.paper_rows import AXES, Paper, names, ordering_row, paper_rows
from pack.scripts.benches.offline_world.people import targets
from pack.scripts.benches.offline_world.published import ORDERINGS, OVERLAPPING, STRIPS, Ordering
from pack.scripts.benches.offline_world.recipe_company import FIELDS, LESS, REFINED, WAYS, RecipeBench, Scenes
from pack.scripts.benches.offline_world.recipe_rows import bounded_rows, recipe_rows
from pack.scripts.benches.offline_world.refined import close_up_prompts, refined
from pack.scripts.benches.offline_world.workbench import QUICK, Workbench
from pack.scripts.bootstrap.installation import Installation
from pack.scripts.figures.samples import Samples
from pack.scripts.figures.table import Result, as_table
from pack.scripts.figures.verdict import UNDECIDED

WEIGHTS = Path(__file__).parents[2] / "demo" / "weights"
ONE_EACH = Scenes(dict.fromkeys(range(1, 7), 1), promised=dict.fromkeys((1, 2, 5), 1), tuning=1)
STRENGTH = 1.67  # strong enough that two steps show everybody


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    installation = Installation(Path(), Path(), Path(), private=True)
    samples = Samples(tmp_path_factory.mktemp("bench") / "samples.jsonl", "key")
    bench = Workbench(WEIGHTS, installation, QUICK, samples, status=lambda _text: None)
    bench.host = Host(WEIGHTS, Sampling(steps=2, cfg=30.0))
    return bench


@pytest.fixture(scope="module")
def both(bench):
    return targets(2, 2, 13, bench.engine, bench.size)


def drawn(bench, batch, way, seed=5):
    return [picture.astype(int) for picture in pictures_of(bench.host, batch, way, STRENGTH, seed)]


def differ(one, other):
    return np.abs(one - other).max() > 1


def test_every_recipe_and_ablation_has_rows_and_no_two_share_a_name(bench):
    names = [row.name for row in recipe_rows(RecipeBench(bench, ONE_EACH))]

    assert len(set(names)) == len(names)
    for recipe in (*WAYS, "unpatched"):
        assert sum(name.startswith(f"recipes: {recipe}, ") for name in names) >= 6 * (len(FIELDS) - 1) - 2
    for whose, switches in ABLATIONS.items():
        for without in switches:
            assert any(name.startswith(f"ablations: {whose} {without}, ") for name in names)


def test_rows_give_figures_and_few_samples_decide_nothing(bench):
    recipes = RecipeBench(bench, ONE_EACH)
    results = [Result(row, row.measure()) for row in bounded_rows(recipes)]
    ablated = recipes.without(next(iter(LESS)))

    assert {result.verdict for result in results} == {UNDECIDED}, as_table(results)
    assert all(math.isnan(r.figure.value) or r.figure.value >= -1 for r in results)
    assert ablated.keys() == set(FIELDS)
    assert Samples(bench.samples.file, "key").found == bench.samples.found


def test_pictures_drawn_one_by_one_have_the_noise_of_their_batch(bench, both):
    way = WAYS["AnyMS"]
    assert not way.alone
    batch = drawn(bench, both, way)

    for place, target in enumerate(both):
        model = bench.host.with_members(members_of(bench.host, target), way.recipe, STRENGTH)
        (alone,) = bench.host.pictures(model, [target.prompt], bench.size, 5, target.depth[None], place)
        assert not differ(batch[place], alone)


def test_members_have_their_own_prompts_and_photos_of_the_worlds_size(bench, both):
    host, target = bench.host, both[0]
    one, other = members_of(host, target)

    assert one.prompt[0][0].shape == other.prompt[0][0].shape
    assert (one.prompt[0][0] != other.prompt[0][0]).any()
    small = with_small_photos(RECIPE_BOOK["MultiID"])
    assert (small.references.size, small.references.odds) == (128, RECIPE_BOOK["MultiID"].references.odds)


@pytest.mark.parametrize("without", ["without local prompts", "without references"])
def test_prompts_and_references_arrive_in_pictures(bench, both, without):
    whole, less = WAYS["MultiID"], LESS[f"MultiID {without}"][1]
    assert whole.alone
    assert differ(drawn(bench, both[:1], whole)[0], drawn(bench, both[:1], less)[0])


def test_the_second_pass_is_measured_on_close_ups_of_one_person_each(bench, both):
    prompts = [close_up_prompts(target) for target in both]
    before = drawn(bench, both, WAYS["Troupe"])[0].astype(np.uint8)
    after = refined(bench, before, both[0], REFINED.recipe, STRENGTH, 5)

    for target, own in zip(both, prompts, strict=True):
        place = target.prompt.split(", ")[0].removeprefix("two")
        assert own == [f"one{place}, {clause}" for clause in target.prompt.split(", ")[1:]]
    assert after.shape == before.shape
    assert differ(before.astype(int), after.astype(int)) == bool(bench.engine.detect(before))


def test_every_system_and_ablation_of_the_papers_has_rows(bench):
    found = [row.name for row in paper_rows(Paper(RecipeBench(bench, ONE_EACH), dict.fromkeys(range(1, 7), 1)))]

    assert len(set(found)) == len(found)
    for name in (*names(), "unpatched"):
        assert sum(row.startswith(f"papers: {name}, ") for row in found) == 6 * len(AXES) - 2
    for ordering in ORDERINGS:
        assert {ordering.ahead, ordering.behind} <= set(names())
        assert any(row.startswith(f"{ordering.ahead} over {ordering.behind}, ") for row in found)


@pytest.mark.parametrize("where", [STRIPS, OVERLAPPING])
def test_an_ordering_compares_the_same_scenes_and_the_very_same_system_decides_nothing(bench, where):
    paper = Paper(RecipeBench(bench, ONE_EACH), {2: 2})
    both = Ordering("AnyMS", "AnyMS without crop-and-merge", "own", 2, where, "")
    itself = replace(both, behind="AnyMS")

    ahead, behind = (paper.of(both, name)["own"] for name in (both.ahead, both.behind))
    figure, same = (ordering_row(paper, ordering).measure() for ordering in (both, itself))

    assert len(ahead) == len(behind) == 2
    assert figure.value == pytest.approx(np.subtract(ahead, behind).mean())
    if where == STRIPS:  # strips do not overlap: there is nothing to merge
        assert ahead == pytest.approx(behind, abs=1e-3)
    assert Result(ordering_row(paper, itself), same).verdict == UNDECIDED


def test_in_a_hurry_no_strength_is_looked_for(bench):
    hurried = Paper(RecipeBench(bench, ONE_EACH), {2: 2}, tuned=False)
    before = set(bench.samples.found)

    assert hurried.strength("AnyMS without crop-and-merge", 2) == hurried.strength("AnyMS", 1) == 1.5
    assert set(bench.samples.found) == before
