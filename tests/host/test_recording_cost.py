"""What recording identities costs: no wait for the device, bounded memory, and nothing at all without a recorder."""

from pack.attention.maps.attribution_maps import MOST_BYTES
from pack.attention.recipes.cast import Member
from pack.attention.regions.region import Region
from pack.nodes.host.effects.attention_recorder import record_attention
from pack.tests.host.test_cast_state import FOUR
from pack.tests.host.tiny_models import ADA, BOB, TWO, apply, sample


def test_without_a_recorder_the_layers_run_what_they_ran(model, adapter, identity_operations):
    plain, _ = identity_operations(lambda: sample(apply(model, TWO, adapter), steps=1))
    recorded, _ = record_attention(apply(model, TWO, adapter))
    measured, _ = identity_operations(lambda: sample(recorded, steps=1))

    assert plain < measured


def test_a_recorded_layer_never_waits_for_the_device(model, adapter, identity_operations, mode):
    patched, _ = record_attention(apply(model, FOUR, adapter, mode=mode))

    waits = {"_local_scalar_dense", "nonzero", "is_nonzero", "item", "equal", "_to_copy"}
    assert identity_operations(lambda: sample(patched, size=(9, 13)))[0] & waits == set()


def test_what_is_recorded_stays_within_its_bound(model, adapter):
    people = tuple(Member(who, Region(str(n), x=n / 8, width=0.125)) for n, who in enumerate([ADA, BOB] * 4))
    patched, recorder = record_attention(apply(model, people, adapter))

    maps = recorder.recorded(sample(patched, size=(80, 16), steps=1, cfg=1.0))
    assert 0 < sum(means.nbytes for means in maps.means) <= MOST_BYTES
    assert max(max(means.shape[-2:]) for means in maps.means) <= 64
    assert maps.grids[0] == (80, 16)
