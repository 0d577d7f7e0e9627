"""Every projection against vectors of the reference implementation, and an adapter's keys and values."""

from pathlib import Path

import pytest
import torch
from pack.attention.adapters.identity_adapter import IdentityAdapter, join_sources
from pack.attention.adapters.inputs import AdapterInputs
from pack.attention.adapters.projections import projection_of
from pack.attention.adapters.sizes import spec_of
from pack.attention.adapters.weights import AdapterWeights
from safetensors.torch import load_file

FIXTURES = Path(__file__).parents[1] / "fixtures"  # random weights in published key names, narrowed
CASES = [
    ("ip_adapter_base", "ip-adapter", "expected"),
    ("ip_adapter_plus", "ip-adapter plus", "expected"),
    ("ip_adapter_full_face", "ip-adapter full-face", "expected"),
    ("faceid", "faceid", "expected"),
    ("faceid_plus", "faceid plus", "expected_v1"),
    ("faceid_plus", "faceid plus v2", "expected_v2_scale_0.7"),
]


def weights_in(vectors, width=96):
    projection = {k.removeprefix("image_proj."): v for k, v in vectors.items() if k.startswith("image_proj.")}
    return projection, (torch.zeros(32, width),)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 1e-5)])
@pytest.mark.parametrize(("file", "kind", "expected"), CASES)
def test_projections_are_the_published_ones(file, kind, expected, dtype, tolerance):
    vectors = load_file(FIXTURES / f"{file}.safetensors")
    projection, keys = weights_in(vectors)
    module = projection_of(spec_of(kind, projection, keys, lora=False), dtype=dtype)
    module.load_state_dict(projection)
    module.structure = 0.7
    inputs = [vectors.get(f"input.{name}") for name in ("face", "image_embeds", "hidden_states")]
    face, embeds, hidden = (None if value is None else value.to(dtype) for value in inputs)

    with torch.no_grad():
        tokens = module(face, hidden if embeds is None else embeds)

    torch.testing.assert_close(tokens.double(), vectors[expected], atol=tolerance, rtol=0)


def test_the_heads_of_a_resampler_are_read_from_its_shapes():
    projection, keys = weights_in(load_file(FIXTURES / "ip_adapter_plus.safetensors"))

    resampler = spec_of("ip-adapter plus", projection, keys, lora=False).resampler

    assert (resampler.heads, resampler.depth, resampler.latents, resampler.hidden) == (2, 4, 16, 512)


def random_adapter():
    projection, _ = weights_in(load_file(FIXTURES / "faceid.safetensors"))
    projection = {key: value.float() for key, value in projection.items()}
    generator = torch.Generator().manual_seed(0)
    maps = [tuple(torch.randn(width, 96, generator=generator) for width in (32, 64)) for _ in range(2)]
    weights = AdapterWeights(spec_of("faceid", projection, maps[0], lora=False), projection, *maps)
    module = IdentityAdapter(weights.spec)
    module.load(weights)
    return module, weights


def test_keys_and_values_are_the_files_maps_of_the_tokens():
    module, weights = random_adapter()
    tokens = torch.randn(3, 4, 96)

    keys, values = module.keys_and_values(tokens, 1)

    torch.testing.assert_close(keys, tokens @ weights.keys[1].T)
    torch.testing.assert_close(values, tokens @ weights.values[1].T)


def test_rows_become_tokens_one_by_one():
    module, _ = random_adapter()
    faces = torch.nn.functional.normalize(torch.randn(2, 512), dim=-1)

    tokens = module.tokens(AdapterInputs(faces))

    assert tokens.shape == (2, 4, 96)
    for row in range(2):
        torch.testing.assert_close(tokens[row : row + 1], module.tokens(AdapterInputs(faces[row : row + 1])))


def test_sources_of_unlike_length_are_repeated():
    parts = [torch.randn(2, 4, 8), torch.randn(1, 6, 8)]

    joined = join_sources(parts)

    assert joined.shape == (3, 12, 8)
    assert torch.equal(joined[0], parts[0][0].repeat(3, 1))
    assert torch.equal(joined[2], parts[1][0].repeat(2, 1))


def test_sources_of_unlike_kinds_do_not_lengthen_each_other():
    parts = [torch.randn(2, 4, 8), torch.randn(1, 6, 8), torch.randn(1, 5, 8)]

    joined = join_sources(parts, ["plain", "plain", "aside"])

    assert joined.shape == (4, 12, 8)
    assert torch.equal(joined[:3], join_sources(parts[:2]))
    assert torch.equal(joined[3, :5], parts[2][0])
    assert not joined[3, 5:].any()
