"""Apply Cast over several runs, in every mode: interrupts in the middle, queueing again, branches of one model."""

import gc

import comfy.model_management
import pytest
import torch
from pack.tests.host.tiny_models import TWO, apply, assert_different, sample, tiny_model


@pytest.fixture(scope="module")
def fresh():
    """The same model again, which no branch comes from."""
    return tiny_model()


@pytest.fixture(scope="module", autouse=True)
def only_new_objects_are_counted():
    """Put what exists out of the collector's sight, or each count would walk through all of the host."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def held() -> int:
    """Bytes of all tensors made since this file began that something still refers to."""
    gc.collect()
    tensors = [thing for thing in gc.get_objects() if issubclass(type(thing), torch.Tensor)]
    return sum({tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes() for tensor in tensors}.values())


def interrupt_at(model, layer: int):
    """A clone whose run is stopped by the user while the layer of that number in the run is at work."""
    calls, clone = [], model.clone()

    def stop(n, options):
        calls.append(options["block"])
        if len(calls) == layer:
            comfy.model_management.interrupt_current_processing()
        return n

    clone.set_model_attn2_output_patch(stop)
    return clone, calls


@pytest.mark.parametrize("layer", [1, 21], ids=["first layer", "second step"])
def test_an_interrupt_leaves_nothing_and_the_next_run_is_like_new(model, adapter, mode, layer):
    patched = apply(model, TWO, adapter, mode=mode)
    expected = sample(patched, size=(16, 16), batch=2)
    before = held()
    assert before >= expected.nbytes

    stopped, calls = interrupt_at(patched, layer)
    with pytest.raises(comfy.model_management.InterruptProcessingException) as caught:
        sample(stopped, size=(16, 16), batch=2)
    assert len(calls) == layer
    del caught, stopped

    assert held() == before
    assert torch.equal(sample(patched, size=(16, 16), batch=2), expected)


def test_runs_hold_no_memory_between_them(model, adapter, mode):
    patched = apply(model, TWO, adapter, mode=mode)
    sample(patched, size=(16, 16))
    before = held()

    for size in ((8, 8), (16, 16), (9, 13)):
        sample(patched, size=size)

    assert held() == before


def test_branches_of_one_model_do_not_see_each_other(model, fresh, adapter, mode):
    alone = [sample(apply(fresh, cast, adapter, mode=mode)) for cast in (TWO[:1], TWO[1:])]
    untouched = sample(model)

    base = apply(model, TWO[:1], adapter, mode=mode)
    branches = [base.clone(), apply(model, TWO[1:], adapter, mode=mode)]
    apply(base, TWO[1:], adapter, mode=mode)  # a third branch, from the first, that nobody samples
    for _ in range(2):
        for branch, expected in zip(branches, alone, strict=True):
            assert torch.equal(sample(branch), expected)

    assert torch.equal(sample(model), untouched)
    assert_different(*alone)
