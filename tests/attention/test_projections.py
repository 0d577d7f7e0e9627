"""The FaceID projection against vectors of the reference implementation, and an adapter's keys and values."""

from pathlib import Path

import pytest
import torch
from pack.attention.adapter_weights import AdapterSpec, AdapterWeights
from pack.attention.projections import FaceIDProjection, IdentityAdapter
from safetensors.torch import load_file

VECTORS = Path(__file__).parents[1] / "fixtures" / "faceid.safetensors"  # random weights in published key names
SPEC = AdapterSpec("faceid", embedding_width=512, hidden=1024, tokens=4, cross_width=96, layer_widths=(32, 64))


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-5)])
def test_the_projection_is_the_published_one(dtype, tolerance):
    vectors = load_file(VECTORS)
    module = FaceIDProjection(SPEC, dtype=dtype)
    module.load_state_dict(
        {key.removeprefix("image_proj."): value for key, value in vectors.items() if key.startswith("image_proj.")}
    )

    with torch.no_grad():
        tokens = module(vectors["input.face"].to(dtype))

    torch.testing.assert_close(tokens.double(), vectors["expected"], atol=tolerance, rtol=0)


def random_weights() -> AdapterWeights:
    vectors = load_file(VECTORS)
    projection = {k.removeprefix("image_proj."): v.float() for k, v in vectors.items() if k.startswith("image_proj.")}
    generator = torch.Generator().manual_seed(0)
    maps = [tuple(torch.randn(width, 96, generator=generator) for width in SPEC.layer_widths) for _ in range(2)]
    return AdapterWeights(SPEC, projection, *maps)


def test_keys_and_values_are_the_files_maps_of_the_tokens():
    weights = random_weights()
    module = IdentityAdapter(SPEC)
    module.load(weights)
    tokens = torch.randn(3, 4, 96)

    keys, values = module.keys_and_values(tokens, 1)

    torch.testing.assert_close(keys, tokens @ weights.keys[1].T)
    torch.testing.assert_close(values, tokens @ weights.values[1].T)


def test_the_tokens_of_nobody_come_last_and_are_those_of_zeros():
    module = IdentityAdapter(SPEC)
    module.load(random_weights())
    people = torch.nn.functional.normalize(torch.randn(2, 512), dim=-1)

    tokens = module.tokens(people)

    assert tokens.shape == (3, 4, 96)
    torch.testing.assert_close(tokens[:2], module.projection(people))
    torch.testing.assert_close(tokens[2:], module.projection(torch.zeros(1, 512)))
