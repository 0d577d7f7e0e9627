"""The demo's transformer: trained by a forward of its own that must be the host's, and sampled by the host's."""

import comfy.ldm.flux.math as flux_math
import comfy.model_management as management
import pytest
import torch
from pack.demo.form import CONTEXT, FORMS
from pack.demo.train.flux import Reference, velocity
from pack.demo.train.host_models import matrix_attention, new_transformer


@pytest.fixture(scope="module", autouse=True)
def as_nodes_run():
    """Not so here, where a model learns."""


@pytest.fixture
def model():
    torch.manual_seed(0)
    made = new_transformer(FORMS["smoke"].transformer)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.copy_(torch.randn(parameter.shape) * 0.2)
    return made


@pytest.fixture
def inputs():
    generator = torch.Generator().manual_seed(1)

    def normal(*shape):
        return torch.randn(shape, generator=generator)

    time = torch.rand(2, generator=generator)
    return normal(2, 8, 16, 24), time, normal(2, 32, CONTEXT), [normal(2, 8, 8, 8), normal(2, 8, 16, 16)]


def in_order(latents):
    return [Reference(latent, torch.full((2,), 10.0 * place)) for place, latent in enumerate(latents, 1)]


@pytest.mark.parametrize("shown", [0, 1, 2])
def test_the_forward_of_training_is_the_hosts(model, inputs, monkeypatch, shown):
    x, time, text, latents = inputs
    monkeypatch.setattr(flux_math, "optimized_attention", matrix_attention)
    monkeypatch.setattr(management, "in_training", True)

    with torch.no_grad():
        ours = velocity(model, x, time, text, in_order(latents[:shown]))
        theirs = model(x, time, text, ref_latents=latents[:shown] or None)

    assert ours.std() > 0.1
    assert torch.equal(ours, theirs)


def test_a_reference_acts_by_its_place_and_a_text_by_its_start(model, inputs):
    x, time, text, latents = inputs

    with torch.no_grad():
        first = velocity(model, x, time, text, in_order(latents[:1]))
        second = velocity(model, x, time, text, [Reference(latents[0], torch.full((2,), 20.0))])
        later = velocity(model, x, time, text, in_order(latents[:1]), torch.tensor([0.0, 32.0]))

    assert (first - second).abs().amax((1, 2, 3)).min() > 1e-4
    assert torch.equal(later[0], first[0])
    assert (later[1] - first[1]).abs().max() > 1e-4


def test_every_weight_learns(model, inputs):
    x, time, text, latents = inputs

    velocity(model, x, time, text, in_order(latents)).square().mean().backward()

    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in model.parameters())
    assert model.state_dict().keys() == new_transformer(FORMS["smoke"].transformer).state_dict().keys()
