"""InstantID's adapter against its formulas, written out in float64: from a raw face embedding to keys and values."""

import math

import numpy as np
import pytest
import torch
from pack.attention.adapter_inputs import AdapterInputs
from pack.attention.adapter_weights import read_adapter
from pack.attention.projections import IdentityAdapter
from pack.scripts.benches.engine.adapter_files import PUBLISHED, layers, nested, on_meta, plus, random_state

WIDTH, CROSS, HEADS, DEPTH = 128, 96, 2, 4  # of 1280, 2048, 20 and 4
erf = np.vectorize(math.erf)


def narrowed() -> dict:
    """The keys of InstantID's file with random numbers, narrowed, as the two dictionaries of its `.bin`."""
    shapes = {f"image_proj.{key}": shape for key, shape in plus(WIDTH, 512, CROSS, HEADS).items()}
    shapes |= {f"ip_adapter.{key}": shape for key, shape in layers(CROSS, [32, 64]).items()}
    return nested(random_state(shapes, seed=8))


def normalised(x: np.ndarray, weights: dict, at: str) -> np.ndarray:
    centred = x - x.mean(-1, keepdims=True)
    return (
        centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5) * weights[f"{at}.weight"] + weights[f"{at}.bias"]
    )


def tokens_by_formula(weights: dict, face: np.ndarray) -> np.ndarray:
    """Sixteen latents ask, four times over, the one feature that an embedding [512] is, and themselves: [16, CROSS]."""
    feature = (weights["proj_in.weight"] @ face + weights["proj_in.bias"])[None]
    latents = weights["latents"][0]
    for layer in range(DEPTH):
        at = f"layers.{layer}"
        asking = normalised(latents, weights, f"{at}.0.norm2")
        seen = np.concatenate([normalised(feature, weights, f"{at}.0.norm1"), asking])
        query = asking @ weights[f"{at}.0.to_q.weight"].T
        key, value = np.split(seen @ weights[f"{at}.0.to_kv.weight"].T, 2, axis=1)
        answers = []
        for head in range(HEADS):
            part = slice(64 * head, 64 * head + 64)
            scores = np.exp(query[:, part] @ key[:, part].T / 8)
            answers.append(scores / scores.sum(-1, keepdims=True) @ value[:, part])
        latents = latents + np.concatenate(answers, 1) @ weights[f"{at}.0.to_out.weight"].T
        inner = normalised(latents, weights, f"{at}.1.0") @ weights[f"{at}.1.1.weight"].T
        latents = latents + (inner * (1 + erf(inner / 2**0.5)) / 2) @ weights[f"{at}.1.3.weight"].T
    return normalised(latents @ weights["proj_out.weight"].T + weights["proj_out.bias"], weights, "norm_out")


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

    expected = np.stack([tokens_by_formula(exact, face) for face in faces.numpy()])
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
