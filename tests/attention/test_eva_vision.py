"""The picture half of EVA02-CLIP against its formulas in float64, and its files by their keys."""

import pytest
import torch
from pack.attention.adapters.eva_vision import EvaShape, EvaVision, rotation
from pack.attention.adapters.eva_weights import EvaFormatError, is_eva, read_eva
from pack.scripts.benches.engine.adapter_files import on_meta, random_state
from pack.scripts.benches.engine.eva_file import eva_clip
from pack.tests.attention import reference_eva as slow

SMALL = EvaShape(width=128, depth=21, hidden=40, outputs=24, patch=4, cells=3)


def state_of(shape=SMALL, prefix="visual."):
    with torch.device("meta"):
        shapes = {key: tuple(value.shape) for key, value in EvaVision(shape).state_dict().items()}
    return {prefix + key: value for key, value in random_state(shapes, seed=6).items()}


def small(dtype=torch.float64):
    shape, weights = read_eva(state_of())
    module = EvaVision(shape, dtype=dtype)
    module.load_state_dict(weights)
    return module, weights


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_features_and_vector_are_those_of_the_formulas(dtype):
    module, weights = small(dtype)
    pixels = torch.randn(2, 3, 12, 12, generator=torch.Generator().manual_seed(7), dtype=torch.float64)

    with torch.no_grad():
        vector, features = module(pixels.to(dtype))

    exact = {key: value.double().numpy() for key, value in weights.items()}
    for picture in range(2):
        expected, scales = slow.eva_vision(exact, pixels[picture].numpy())
        tolerance = 1e-5 * max(1.0, abs(scales[-1]).max())
        assert features[picture].shape == (5, 10, 128)
        for found, wanted in zip(features[picture], scales, strict=True):
            torch.testing.assert_close(found.double(), torch.from_numpy(wanted), atol=tolerance, rtol=0)
        torch.testing.assert_close(vector[picture].double(), torch.from_numpy(expected), atol=tolerance, rtol=0)


def test_places_are_those_of_the_coarser_grid_and_the_whole_is_not_turned():
    cosine, sine = rotation(24)

    assert cosine.shape == (577, 64)
    assert (cosine[0] == 1).all()
    assert (sine[0] == 0).all()
    assert torch.allclose(sine[1 + 24 * 3, 0], torch.tensor(2.0).sin())  # row 3 of 24 lies at 2 of 16
    assert (sine[1 + 24 * 3, 32:] == 0).all()
    assert torch.equal(sine[1 + 5, 32:], sine[1 + 24 * 5, :32])  # columns turn the second half as rows the first


def test_the_published_file_has_the_published_sizes():
    whole = on_meta(eva_clip())

    shape, weights = read_eva(whole)

    assert is_eva(whole)
    assert (shape, shape.side, shape.features) == (EvaShape(), 336, 577)
    assert round(sum(value.numel() for value in weights.values()) / 1e6) == 304
    assert not any("rope" in key for key in weights)


@pytest.mark.parametrize("prefix", ["visual.", ""])
def test_the_half_alone_is_read_too(prefix):
    assert read_eva(state_of(prefix=prefix))[0] == SMALL


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: s.pop("visual.blocks.0.attn.inner_attn_ln.weight"), "it is no EVA02-CLIP"),
        (lambda s: s.pop("visual.head.weight"), "has head.weight with 2 dimensions, and it lacks it"),
        (lambda s: s.pop("visual.blocks.7.mlp.w2.bias"), "it lacks blocks.7.mlp.w2.bias"),
        (lambda s: s.update({"visual.blocks.3.gamma_1": torch.zeros(128)}), "also holds blocks.3.gamma_1"),
        (lambda s: s.update({"visual.norm.bias": torch.zeros(7)}), r"its norm.bias is \[7\]"),
        (lambda s: s.update({"visual.norm.bias": torch.zeros(128, dtype=torch.int8)}), "of torch.int8"),
        (
            lambda s: [s.pop(k) for k in list(s) if ".blocks.20." in k or ".blocks.19." in k],
            "of 19 blocks of width 128",
        ),
    ],
)
def test_damaged_and_foreign_files_are_refused_with_a_sentence(change, message):
    state = state_of()
    change(state)

    with pytest.raises(EvaFormatError, match=message) as caught:
        read_eva(state)
    assert str(caught.value).endswith(".")


def test_a_strange_name_stays_on_its_line():
    with pytest.raises(EvaFormatError) as caught:
        read_eva(state_of() | {"visual.x\n[ERROR]": torch.zeros(2)})

    assert "\n" not in str(caught.value)
