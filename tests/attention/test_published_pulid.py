"""PuLID's encoder and cross-attention against what the published modules made, at full size."""

from pathlib import Path

import pytest
import torch
from pack.attention.adapters.projections import projection_of
from pack.attention.adapters.pulid_flux import crossings_of
from pack.attention.adapters.weights import read_adapter
from pack.scripts.benches.engine.adapter_files import PUBLISHED, on_meta
from pack.tests.attention import published_pulid as published
from safetensors.torch import load_file

FILES = ["pulid_v1.1", "pulid_flux_v0.9.0", "pulid_flux_v0.9.1"]


@pytest.fixture(scope="module")
def theirs():
    return load_file(Path(__file__).parents[1] / "fixtures" / "pulid_modules.safetensors")


@pytest.fixture(scope="module")
def encoder_weights():
    return published.weights(published.ENCODER, 1)


def spec_of(name):
    return read_adapter(on_meta(PUBLISHED[name].shapes())).spec


def loaded(made, weights):
    """Made on the meta device, with these weights and no other."""
    made.load_state_dict(weights, strict=True, assign=True)
    return made


@pytest.mark.parametrize("photos", published.PHOTOS)
@pytest.mark.parametrize("name", FILES)
@torch.no_grad()
def test_tokens_of_a_person_are_those_of_the_published_encoder(theirs, encoder_weights, name, photos):
    with torch.device("meta"):
        made = projection_of(spec_of(name))
    embeddings, vectors, features = published.faces(published.PHOTOS[photos])
    given = (embeddings[:, 0], features, vectors[:, 0]) if photos == "one photo" else (embeddings, features, vectors)

    tokens = loaded(made, encoder_weights)(*given)

    assert tokens.shape == (1, 32, 2048)
    torch.testing.assert_close(tokens[..., :: published.KEPT], theirs[photos], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("layer", [0, 19])
@torch.no_grad()
def test_what_a_picture_reads_is_that_of_the_published_cross_attention(theirs, layer):
    with torch.device("meta"):
        made = crossings_of(spec_of("pulid_flux_v0.9.1"))[layer]
    weights = published.weights(published.CROSSING, 2)
    to_key, to_value = weights.pop("to_kv.weight").chunk(2)
    rows, tokens = published.picture()

    normed = loaded(made, weights).norm1(tokens)
    counts = [published.ROWS] * len(rows)
    read = made(rows.flatten(0, 1), normed @ to_key.T, normed @ to_value.T, counts).view_as(rows)

    torch.testing.assert_close(read[..., :: published.KEPT], theirs["crossing"], atol=1e-5, rtol=1e-5)
