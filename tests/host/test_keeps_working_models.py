"""Apply Cast on every kind of model, in every mode: odd sizes, windows, kinds of prediction, attention backends."""

import comfy.ldm.modules.attention as attention
import pytest
import torch
from comfy.model_base import ModelType
from comfy_extras.nodes_context_windows import ContextWindowsManualNode
from comfy_extras.nodes_model_advanced import ModelSamplingDiscrete, ModelSamplingSD3
from pack.attention.recipes.cast import Member
from pack.attention.regions.region import Region
from pack.tests.host.layer_recorder import record_layers
from pack.tests.host.region_cells import assert_only_inside
from pack.tests.host.tiny_models import ADA, BOB, EVERYWHERE, LEFT, RIGHT, TWO, apply, assert_same, sample, tiny_model

HALVES = [Member(ADA, LEFT), Member(ADA, RIGHT)]


@pytest.mark.parametrize("size", [(64, 65), (33, 125)], ids=["512x520", "264x1000"])
def test_at_odd_sizes_only_the_cells_of_the_regions_change(model, adapter, mode, size):
    low, narrow = Region("low", x=0.1, y=0.7, width=0.3, height=0.3), Region("narrow", x=0.55, y=0.1, width=0.1)
    with record_layers(model) as (recorded, calls):
        cast = [Member(ADA, low), Member(BOB, narrow)]
        sample(apply(recorded, cast, adapter, mode=mode), size=size, cfg=1.0, steps=1)

    assert [call.grid for call in calls[:6:2]] == [tuple(-(-side >> level) for side in size) for level in range(3)]
    assert_only_inside(calls, [low, narrow], size, least=16)


def test_at_an_odd_size_both_halves_make_the_whole(model, adapter, mode):
    halves, whole = (
        sample(apply(model, cast, adapter, mode=mode), size=(9, 29), cfg=1.0, steps=1)
        for cast in (HALVES, [Member(ADA, EVERYWHERE)])
    )

    assert_same(halves, whole)


@pytest.mark.parametrize("windows_first", [False, True])
def test_windows_over_a_batch_are_the_batch(model, adapter, mode, windows_first):
    settings = {"context_length": 2, "context_overlap": 1, "context_schedule": "standard_static", "context_stride": 1}
    settings |= {"closed_loop": False, "fuse_method": "pyramid", "dim": 0, "freenoise": False}
    if windows_first:
        windows = apply(ContextWindowsManualNode.execute(model, **settings).args[0], TWO, adapter, mode=mode)
    else:
        windows = ContextWindowsManualNode.execute(apply(model, TWO, adapter, mode=mode), **settings).args[0]

    whole = sample(apply(model, TWO, adapter, mode=mode), batch=4, steps=1)
    assert_same(sample(windows, batch=4, steps=1), whole)


KINDS = [ModelType.EPS, ModelType.V_PREDICTION, ModelType.FLOW]


@pytest.fixture(scope="module")
def models(model):
    return {ModelType.EPS: model} | {kind: tiny_model(kind=kind) for kind in KINDS[1:]}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_of_prediction_changes_only_the_cells_of_the_regions(models, adapter, mode, kind):
    model = models[kind]
    with record_layers(model) as (recorded, calls):
        sample(apply(recorded, TWO[1:], adapter, mode=mode), steps=2)

    assert_only_inside(calls, [RIGHT], (8, 8), least=32)
    assert_same(
        sample(apply(model, HALVES, adapter, mode=mode), steps=1),
        sample(apply(model, [Member(ADA, EVERYWHERE)], adapter, mode=mode), steps=1),
    )


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        (lambda model: ModelSamplingDiscrete().patch(model, "v_prediction", False)[0], ModelType.V_PREDICTION),
        (lambda model: ModelSamplingSD3().patch(model, 1.0)[0], ModelType.FLOW),
    ],
    ids=["ModelSamplingDiscrete", "ModelSamplingSD3"],
)
def test_a_node_that_changes_the_prediction_may_stand_before_or_after(models, adapter, mode, change, kind):
    model = models[ModelType.EPS]
    after = sample(change(apply(model, TWO, adapter, mode=mode)))

    assert torch.equal(sample(apply(change(model), TWO, adapter, mode=mode)), after)
    assert_same(after, sample(apply(models[kind], TWO, adapter, mode=mode)))


@pytest.mark.parametrize("backend", sorted({*attention.REGISTERED_ATTENTION_FUNCTIONS, "basic"}))
def test_every_attention_backend_of_the_host_draws_the_same(patched, monkeypatch, backend):
    expected = sample(patched, size=(9, 13), steps=1)
    function = attention.REGISTERED_ATTENTION_FUNCTIONS.get(backend, attention.attention_basic)
    calls = []

    def counted(*args, **kwargs):
        calls.append(backend)
        return function(*args, **kwargs)

    for name in ("optimized_attention", "optimized_attention_masked"):  # as the host chooses them at its start
        monkeypatch.setattr(attention, name, counted)

    assert_same(sample(patched, size=(9, 13), steps=1), expected, tolerance=1e-3)
    assert len(calls) >= 2 * 16  # self-attention and attention to the text
