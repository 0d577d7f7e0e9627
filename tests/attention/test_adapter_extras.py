"""What trainers leave in adapter files: passed over and named where it is no part of the adapter, else refused."""

import pytest
import torch
from pack.attention.adapters.parts import AdapterFormatError
from pack.attention.adapters.weights import describe, read_adapter
from pack.scripts.benches.engine.adapter_files import PUBLISHED, nested, on_meta
from pack.tests.attention.test_adapter_weights import faceid

LEFT_BY_TRAINERS = {
    "optimizer": {"state": {0: {"step": 7}}},
    "lora_ema": {"0.to_q_lora.down.weight": torch.zeros(2, 2)},
    "global_step": torch.tensor(9),
    "image_proj.step": torch.tensor(9),
    "image_proj.proj.0.ema.weight": torch.zeros(2, 2),
    "ip_adapter.1.to_k_ip_ema.weight": torch.zeros(2, 2),
    "ip_adapter.optimizer.0.to_q_lora.exp_avg": torch.zeros(2),
}
NAMED = ("global_step", "image_proj.proj", "image_proj.step", "ip_adapter.1", "ip_adapter.optimizer", "lora_ema")


def nested_too(state):
    """The layout of a .bin, with whatever has no part left where it is."""
    parts = {key: value for key, value in state.items() if not key.startswith(("image_proj.", "ip_adapter."))}
    return nested({key: value for key, value in state.items() if key not in parts}) | parts


@pytest.mark.parametrize("layout", [dict, nested_too])
def test_a_whole_file_is_read_as_without_what_a_trainer_left_in_it(layout):
    clean, found = read_adapter(faceid()), read_adapter(layout(faceid() | LEFT_BY_TRAINERS))

    assert found.spec == clean.spec
    assert list(found.projection) == list(clean.projection)
    assert all(map(torch.equal, found.projection.values(), clean.projection.values()))
    assert all(map(torch.equal, found.keys, clean.keys))
    assert found.lora == ()
    assert found.extras == tuple(sorted((*NAMED, "optimizer")))
    assert clean.extras == ()


@pytest.mark.parametrize("name", PUBLISHED)
def test_every_format_passes_over_a_note(name):
    state = on_meta(PUBLISHED[name].shapes())
    part = next(iter(state)).split(".")[0]

    found = read_adapter(state | {f"{part}.trained_on": torch.tensor(3), "meta": "a text"})

    assert found.extras == (f"{part}.trained_on", "meta") if part < "meta" else ("meta", f"{part}.trained_on")
    assert found.spec == read_adapter(state).spec


def test_the_report_names_the_first_few():
    weights = read_adapter(faceid() | LEFT_BY_TRAINERS)

    report = describe(weights.spec, weights.reason, weights.extras)

    assert report.endswith(
        " The file also holds global_step, image_proj.proj, image_proj.step, ip_adapter.1, ip_adapter.optimizer and 2 "
        "more, which no adapter of this format has: passed over."
    )
    assert "passed over" not in describe(weights.spec, weights.reason)


@pytest.mark.parametrize(
    ("key", "named"),
    [
        ("image_proj.proj.4.weight", "proj.4.weight"),  # a deeper map than the format's
        ("image_proj.norm.scale", "norm.scale"),
        ("image_proj.pos_emb.weight", "pos_emb.weight"),
        ("image_proj.layers.0.0.norm1.weight", "layers.0.0.norm1.weight"),
        ("ip_adapter.1.to_k_ip.bias", "1.to_k_ip.bias"),
        ("ip_adapter.3.gate", "3.gate"),
        ("ip_adapter.2.to_q_dora.weight", "2.to_q_dora.weight"),
    ],
)
def test_what_changes_the_adapters_result_is_refused_and_named(key, named):
    pair = {f"ip_adapter.2.to_q_lora.{half}.weight": torch.zeros(2, 2) for half in ("down", "up")}

    with pytest.raises(AdapterFormatError, match=f"{named}.*it is of another kind"):
        read_adapter(faceid() | pair | {key: torch.zeros(2)})


@pytest.mark.parametrize("missing", ["image_proj.norm.bias", "ip_adapter.3.to_v_ip.weight"])
def test_what_a_trainer_left_makes_up_for_nothing_that_is_missing(missing):
    state = faceid() | LEFT_BY_TRAINERS
    del state[missing]

    with pytest.raises(AdapterFormatError, match=r"lacks norm.bias|layer 3 does not have"):
        read_adapter(state)
