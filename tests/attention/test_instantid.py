"""InstantID's adapter against its formulas: from a raw face embedding to keys and values."""

import numpy as np
import pytest
import torch
from pack.attention.adapters.identity_adapter import IdentityAdapter
from pack.attention.adapters.inputs import AdapterInputs
from pack.attention.adapters.weights import read_adapter
from pack.scripts.benches.engine.adapter_files import PUBLISHED, layers, nested, on_meta, plus, random_state
from pack.tests.attention.reference_instantid import instantid_tokens

WIDTH, CROSS, HEADS = 128, 96, 2  # of 1280, 2048 and 20


def narrowed() -> dict:
    """The keys of InstantID's file with random numbers, narrowed, as the two dictionaries of its `.bin`."""
    shapes = {f"image_proj.{key}": shape for key, shape in plus(WIDTH, 512, CROSS, HEADS).items()}
    shapes |= {f"ip_adapter.{key}": shape for key, shape in layers(CROSS, [32, 64]).items()}
    return nested(random_state(shapes, seed=8))


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("length", [1, 20])
def test_tokens_keys_and_values_are_those_of_the_formulas(length, dtype):
    state = narrowed()
    faces = torch.randn(2, 512, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    faces = faces / faces.norm(dim=-1, keepdim=True) * length
    module = IdentityAdapter(read_adapter(state, "instantid").spec, dtype=dtype)
    module.load(read_adapter(state, "instantid"))
    exact = {key: value.double().numpy() for key, value in state["image_proj"].items()}

    with torch.no_grad():
        tokens = module.tokens(AdapterInputs(faces.to(dtype)))
        keys, values = module.keys_and_values(tokens, 1)

    expected = np.stack([instantid_tokens(exact, face) for face in faces.numpy()])
    assert tokens.shape == (2, 16, CROSS)
    np.testing.assert_allclose(tokens.double().numpy(), expected, atol=1e-5, rtol=0)
    for found, name in ((keys, "k"), (values, "v")):
        weight = state["ip_adapter"][f"3.to_{name}_ip.weight"].double().numpy()
        np.testing.assert_allclose(found.double().numpy(), expected @ weight.T, atol=1e-5, rtol=0)


def test_the_length_of_an_embedding_matters():
    module = IdentityAdapter(read_adapter(narrowed(), "instantid").spec)
    module.load(read_adapter(narrowed(), "instantid"))
    face = torch.nn.functional.normalize(torch.randn(1, 512, generator=torch.Generator().manual_seed(2)), dim=-1)

    with torch.no_grad():
        short, long = (module.tokens(AdapterInputs(face * length)) for length in (1, 20))

    assert (short - long).abs().max() > 0.1


def test_the_published_file_is_sdxls_with_sixteen_tokens_of_a_raw_embedding():
    spec = read_adapter(nested(on_meta(PUBLISHED["ip-adapter"].shapes())), "instantid").spec

    assert (spec.kind, spec.embedding_width, spec.tokens, spec.cross_width) == ("instantid", 512, 16, 2048)
    assert (spec.resampler.width, spec.resampler.heads, spec.resampler.depth) == (1280, 20, 4)
    assert len(spec.layer_widths) == 70
