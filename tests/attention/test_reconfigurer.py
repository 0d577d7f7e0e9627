"""DynamicID's reconfigurer: released layout, formulas, files that are something else, drawings of key points."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pack.attention.adapters.key_points import WIDTHS, KeyPointEncoder, drawn
from pack.attention.adapters.parts import AdapterFormatError
from pack.attention.adapters.reconfigurer import Reconfigurer, ReconfigurerShape
from pack.attention.adapters.reconfigurer_weights import read_key_points, read_reconfigurer
from pack.scripts.benches.engine.adapter_files import random_state
from pack.tests.attention.reference_reconfigurer import Slow, dots

TINY = ReconfigurerShape(token=24, points=10, words=14, width=32, heads=2, hidden=48, tokens=3, apart=2, together=1)

SOMEWHERE = st.floats(-0.25, 1.25, width=32, allow_subnormal=False)


def tiny_state(shape=TINY, seed=1):
    with torch.device("meta"):
        shapes = {key: tuple(value.shape) for key, value in Reconfigurer(shape).state_dict().items()}
    return random_state(shapes, seed)


def encoder_state(widths):
    torch.manual_seed(2)
    encoder = KeyPointEncoder(widths).eval()
    for name, value in encoder.named_buffers():
        if name.endswith("running_mean"):
            value.normal_(0, 0.1)
    return encoder.state_dict()


def test_the_released_files_have_the_published_sizes():
    with torch.device("meta"):
        networks = Reconfigurer(ReconfigurerShape()), Reconfigurer(ReconfigurerShape(apart=4, together=4))
        counts = [sum(p.numel() for p in network.parameters()) for network in (*networks, KeyPointEncoder())]

    assert counts == [40_926_464, 141_638_912, 8_298_976]


def test_a_file_is_read_by_its_shapes_and_computes_the_printed_formula():
    state = tiny_state()
    shape, weights = read_reconfigurer(state, points=10)
    network = Reconfigurer(shape)
    network.load_state_dict(weights)
    tokens, source, target = (torch.randn(2, *size) for size in ((5, 24), (24,), (24,)))

    made = network(tokens, source, target)

    assert shape == TINY
    rows = zip(*(part.double().numpy() for part in (tokens, source, target)), strict=True)
    slow = np.stack([Slow(state).reconfigured(*row) for row in rows])
    np.testing.assert_allclose(made.detach().numpy(), slow, rtol=1e-4, atol=2e-5)


def test_rows_do_not_see_each_other():
    network = Reconfigurer(TINY)
    network.load_state_dict(tiny_state())
    tokens, source, target = (torch.randn(3, *size) for size in ((4, 24), (24,), (24,)))

    together = network(tokens, source, target)

    for row in range(3):
        alone = network(tokens[row : row + 1], source[row : row + 1], target[row : row + 1])
        torch.testing.assert_close(together[row : row + 1], alone)


@pytest.mark.parametrize("widths", [WIDTHS, (2, 3, 4, 5, 6, 7, 8, 9)])
def test_an_encoder_is_read_by_its_shapes(widths):
    state = encoder_state(widths)

    found, weights = read_key_points(state)

    assert found == widths
    encoder = KeyPointEncoder(found).eval()
    encoder.load_state_dict(weights)
    assert encoder(drawn(torch.rand(2, 106, 2))).shape == (2, widths[-1])


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(SOMEWHERE, SOMEWHERE), min_size=1, max_size=12))
def test_landmarks_are_drawn_as_the_released_code_draws_them(points):
    landmarks = np.float32(points)

    np.testing.assert_array_equal(drawn(torch.from_numpy(landmarks)[None])[0, 0].numpy(), dots(landmarks))


READERS = {
    "a reconfigurer": (lambda state: read_reconfigurer(state, 10), tiny_state()),
    "a key point encoder": (read_key_points, encoder_state((2, 3, 4, 5, 6, 7, 8, 9))),
}


@pytest.mark.parametrize("what", READERS)
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_damaged_files_are_refused_in_a_sentence(what, data):
    read, state = READERS[what]
    state = dict(state)
    floats = [key for key, value in state.items() if value.is_floating_point()]
    key = data.draw(st.sampled_from(floats))
    match data.draw(st.sampled_from(["gone", "wider", "flat", "whole", "nan", "more", "other"])):
        case "gone":
            del state[key]
        case "wider":
            state[key] = torch.cat([state[key], state[key]])
        case "flat":
            state[key] = torch.zeros(0)
        case "whole":
            state[key] = state[key].to(torch.int8)
        case "nan":
            state[key] = state[key] * torch.nan
        case "more":
            state[key + ".extra"] = state[key]
        case "other":
            state = {"image_proj.proj.weight": state[key]}

    with pytest.raises(AdapterFormatError, match="it |its "):
        read(state)
