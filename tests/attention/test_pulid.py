"""PuLID's files and encoders against their formulas in float64: original and converted keys, v1 and v1.1."""

import numpy as np
import pytest
import torch
from pack.attention.adapters.identity_adapter import IdentityAdapter
from pack.attention.adapters.inputs import AdapterInputs, averaged
from pack.attention.adapters.parts import AdapterFormatError
from pack.attention.adapters.weights import describe, read_adapter
from pack.scripts.benches.engine.adapter_files import (
    PUBLISHED,
    Published,
    id_encoder,
    id_former,
    nested,
    on_meta,
    random_state,
)
from pack.tests.attention import reference_pulid as slow

CROSS, VISION, VECTOR, WIDTH = 24, 40, 16, 64
SMALL = {
    "pulid": (id_encoder(CROSS, VISION, VECTOR, 32), slow.id_encoder, 10),
    "pulid v1.1": (id_former(CROSS, VISION, VECTOR, WIDTH, latents=6), slow.id_former, 6),
}


def small(kind, original=True):
    shapes = Published(kind, 0, SMALL[kind][0], CROSS, [32, 64], pulid=original).shapes()
    return random_state(shapes, seed=4)


def inputs(rows=2, length=7):
    generator = torch.Generator().manual_seed(5)

    def random(*shape):
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    vectors = torch.nn.functional.normalize(random(rows, VECTOR), dim=-1)
    return AdapterInputs(random(rows, 512), random(rows, 5, length, VISION), vectors)


def loaded(kind, dtype=torch.float32):
    weights = read_adapter(small(kind))
    module = IdentityAdapter(weights.spec, dtype=dtype)
    module.load(weights)
    return module


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
@pytest.mark.parametrize("kind", SMALL)
def test_tokens_keys_and_values_are_those_of_the_formulas(kind, dtype):
    module, given = loaded(kind, dtype), inputs()
    exact = {key: value.double().numpy() for key, value in read_adapter(small(kind)).projection.items()}

    with torch.no_grad():
        tokens = module.tokens(AdapterInputs(*(part.to(dtype) for part in given.parts[:3])))
        keys, values = module.keys_and_values(tokens, 1)

    rows = zip(*(part.numpy() for part in given.parts[:3]), strict=True)
    expected = np.stack([SMALL[kind][1](exact, face, vector, scales) for face, scales, vector in rows])
    assert tokens.shape == (2, SMALL[kind][2], CROSS)
    np.testing.assert_allclose(tokens.double().numpy(), expected, atol=1e-5, rtol=0)
    for found, name in ((keys, "k"), (values, "v")):
        weight = small(kind)[f"id_adapter_attn_layers.3.id_to_{name}.weight"].double().numpy()
        np.testing.assert_allclose(found.double().numpy(), expected @ weight.T, atol=1e-5, rtol=0)


def test_several_photos_go_through_v1_1_as_one():
    module, given = loaded("pulid v1.1", torch.float64), inputs(3)
    exact = {key: value.double().numpy() for key, value in read_adapter(small("pulid v1.1")).projection.items()}

    with torch.no_grad():
        tokens = module.tokens(given.together())

    photos = [
        (face, vector, scales) for face, scales, vector in zip(*(p.numpy() for p in given.parts[:3]), strict=True)
    ]
    assert tokens.shape == (1, 6, CROSS)
    np.testing.assert_allclose(tokens[0], slow.id_former_of_several(exact, photos), atol=1e-5, rtol=0)


@pytest.mark.parametrize("layout", [dict, nested])
@pytest.mark.parametrize("kind", SMALL)
def test_original_and_converted_keys_hold_the_same(kind, layout):
    original, converted = (read_adapter(layout(small(kind, original=flag))) for flag in (True, False))

    assert original.spec == converted.spec
    assert original.projection.keys() == converted.projection.keys()
    for one, other in zip(original.keys + original.values, converted.keys + converted.values, strict=True):
        assert torch.equal(one, other)


def test_the_published_files_are_sdxls_with_raw_embeddings_and_eva02s_sizes():
    first, second = (read_adapter(on_meta(PUBLISHED[name].shapes())).spec for name in ("pulid_v1", "pulid_v1.1"))

    for spec, kind, tokens in ((first, "pulid", 10), (second, "pulid v1.1", 32)):
        assert (spec.kind, spec.tokens, spec.face_tokens) == (kind, tokens, 5)
        assert (spec.embedding_width, spec.vector_width, spec.vision_width) == (512, 768, 1024)
        assert (spec.cross_width, len(spec.layer_widths)) == (2048, 70)
    assert (second.resampler.width, second.resampler.heads, second.resampler.depth) == (1024, 16, 10)
    assert "antelopev2 and a file of EVA02-CLIP-L-14-336" in describe(first, "it is")


@pytest.mark.parametrize("kind", SMALL)
def test_the_length_of_an_embedding_and_every_scale_matter(kind):
    module, given = loaded(kind, torch.float64), inputs(1)
    changed = [AdapterInputs(given.faces * 2, given.features, given.vectors)]
    for scale in range(5):
        features = given.features.clone()
        features[:, scale] += 1
        changed.append(AdapterInputs(given.faces, features, given.vectors))

    with torch.no_grad():
        plain, *others = (module.tokens(part) for part in (given, *changed))

    assert all((other - plain).abs().max() > 1e-3 for other in others)


def test_a_mean_of_photos_has_the_mean_direction_of_their_vectors():
    given = inputs(3)

    mean = averaged(given, [1.0, 0.0, 1.0])

    expected = torch.nn.functional.normalize(given.vectors[0] + given.vectors[2], dim=0)
    torch.testing.assert_close(mean.vectors[0], expected, atol=1e-6, rtol=0)
    torch.testing.assert_close(mean.features[0], (given.features[0] + given.features[2]) / 2)
    assert given.digest(0) != AdapterInputs(given.faces, given.features, given.vectors.flip(0)).digest(0)


@pytest.mark.parametrize(
    ("kind", "key", "shape", "message"),
    [
        ("pulid", "body.0.weight", (32, 512), "reads more than the 512 of a face"),
        ("pulid", "mapping_patch_4.6.weight", (CROSS + 1, 32), "contradict each other: mapping_patch_4.6.weight"),
        ("pulid v1.1", "proj_out", (WIDTH,), "needs 2 dimensions"),
        ("pulid v1.1", "layers.0.0.to_q.weight", (60, WIDTH), "no multiple of 64"),
        ("pulid v1.1", "layers.10.0.norm1.weight", (WIDTH,), "11 layers, which is no multiple of 5"),
    ],
)
def test_sizes_that_cannot_be_are_refused(kind, key, shape, message):
    state = small(kind) | {f"id_adapter.{key}": torch.zeros(shape)}

    with pytest.raises(AdapterFormatError, match=message):
        read_adapter(state)
