"""Every row of the bench `world` on a sample or two, in the real host; and that a batch draws what single runs draw."""

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from pack.scripts.benches.offline_world.company import score
from pack.scripts.benches.offline_world.drawing import DECOUPLED, Host, Sampling
from pack.scripts.benches.offline_world.mode_rows import MODES
from pack.scripts.benches.offline_world.people import targets
from pack.scripts.benches.offline_world.workbench import Amounts, Workbench
from pack.scripts.benches.world import rows_on
from pack.scripts.bootstrap.installation import Installation
from pack.scripts.figures.samples import Samples
from pack.scripts.figures.table import Result, as_table
from pack.scripts.figures.verdict import HOLDS, UNDECIDED
from pack.scripts.showing.world_page import STRENGTH_ROWS

WEIGHTS = Path(__file__).parents[2] / "demo" / "weights"
A_FEW = Amounts(people=4, scenes=2, pictures=1, casts=1, crowds=1, tuning=1)


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    installation = Installation(Path(), Path(), Path(), private=True)
    samples = Samples(tmp_path_factory.mktemp("bench") / "samples.jsonl", "key")
    bench = Workbench(WEIGHTS, installation, A_FEW, samples, status=lambda _text: None)
    bench.host = Host(WEIGHTS, Sampling(steps=2, cfg=30.0))
    return bench


@pytest.fixture(scope="module")
def target(bench):
    return targets(2, 1, 11, bench.engine, bench.size)[0]


def test_every_row_gives_a_figure_and_few_samples_decide_nothing(bench):
    rows = rows_on(bench)
    results = [Result(row, row.measure()) for row in rows]

    assert len({row.name for row in rows}) == len(rows)
    assert STRENGTH_ROWS.keys() < {row.name for row in rows}
    assert all(result.verdict == UNDECIDED for result in results if result.row.bound is not None), as_table(results)
    assert HOLDS not in {result.verdict for result in results}
    asked_again = Samples(bench.samples.file, "key").found
    assert asked_again == bench.samples.found
    for row in rows:
        assert math.isnan(row.measure().value) or (row.unit == "" and row.measure().value >= -1)


def test_a_batch_of_different_prompts_is_what_each_prompt_gives_alone(bench):
    host, prompts = bench.host, ["one beach, red smiling left", "two night, blue sad ahead, white neutral right"]
    depth = torch.rand(2, 1, 128, 128, generator=torch.Generator().manual_seed(0))
    together = host.pictures(host.model, [prompts[0]] * 2, 128, 5, depth[:1].expand(2, -1, -1, -1))
    mixed = host.pictures(host.model, prompts, 128, 5, depth)

    assert np.abs(together[0].astype(int) - mixed[0]).max() <= 1
    assert np.abs(together[1].astype(int) - mixed[1]).max() > 1


def test_each_mode_draws_the_cast_in_its_own_way(bench, target):
    host, depth = bench.host, target.depth[None]
    models = [host.model, *(host.with_casts([target.cast], mode, 1.0) for mode in MODES if mode)]
    pictures = [host.pictures(m, [target.prompt], 128, 5, depth)[0].astype(int) for m in models]

    assert all(np.abs(one - other).max() > 0 for one, other in itertools.combinations(pictures, 2))


def test_a_batch_of_casts_is_what_each_cast_gives_alone(bench):
    host, both = bench.host, targets(2, 2, 12, bench.engine, bench.size)
    casts, depth = [target.cast for target in both], torch.stack([target.depth for target in both])
    prompts = [target.prompt for target in both]
    batch = host.pictures(host.with_casts(casts, DECOUPLED, 1.0), prompts, 128, 5, depth)

    for row in (0, 1):
        same = host.with_casts([casts[row]] * 2, DECOUPLED, 1.0)
        alone = host.pictures(same, [prompts[row]] * 2, 128, 5, depth[row : row + 1].expand(2, -1, -1, -1))
        assert np.abs(batch[row].astype(int) - alone[row]).max() <= 1


def test_references_show_the_people_of_the_target_to_both_recognisers(bench, target):
    for identity, photo in zip(target.cast, target.photos, strict=True):
        assert photo.shape == (256, 256, 3)
        assert list(identity.embeddings) == [bench.engine.recogniser]
    wide = np.concatenate(target.photos, 1)

    result = score(bench.scorer, wide, target)

    assert result.right_place.all()
    assert result.own.min() > 0.9


def test_a_picture_without_faces_is_wrong_everywhere(bench, target):
    result = score(bench.scorer, np.zeros((128, 128, 3), np.uint8), target)

    assert result.own.tolist() == [0, 0]
    assert not result.right_place.any()
    assert result.other is None
