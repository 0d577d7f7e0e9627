"""Rows that feed an adapter: means of photos, contents as hashes."""

import pytest
import torch
from pack.attention.adapters.inputs import AdapterInputs, averaged, joined


def rows(count=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    faces = torch.randn(count, 16, generator=generator)
    return AdapterInputs(faces, torch.randn(count, 5, 7, generator=generator))


def test_the_mean_of_faces_is_one_of_directions_at_the_mean_length():
    faces = torch.tensor([[3.0, 0.0], [0.0, 1.0]])

    mean = averaged(AdapterInputs(faces)).faces

    torch.testing.assert_close(mean, torch.full((1, 2), 2 / 2**0.5))


def test_weights_decide_how_much_a_photo_counts():
    inputs = rows()

    only = averaged(inputs, [0, 2, 0])

    torch.testing.assert_close(only.faces, inputs.faces[1:2])
    torch.testing.assert_close(only.features, inputs.features[1:2])
    torch.testing.assert_close(
        averaged(inputs, [1, 1, 2]).features[0], (inputs.features[0] + inputs.features[1]) / 4 + inputs.features[2] / 2
    )


def test_photos_that_cancel_out_are_refused():
    with pytest.raises(ValueError, match="opposite directions"):
        averaged(AdapterInputs(torch.tensor([[1.0, 0.0], [-2.0, 0.0]])))


def test_rows_are_joined_in_order():
    first, second = rows(2), rows(1, 5)

    both = joined([first, second])

    assert len(both) == 3
    assert torch.equal(both.row(2).faces, second.faces)
    assert joined([AdapterInputs(None, first.features)]).faces is None


def test_a_digest_tells_contents_apart_and_nothing_else():
    inputs, again = rows(), rows()

    assert inputs.digest(1) == again.digest(1) != inputs.digest(2)
    assert AdapterInputs(inputs.faces).digest(0) != AdapterInputs(None, inputs.faces).digest(0)


def test_inputs_print_nothing_of_a_face():
    assert repr(rows()) == "AdapterInputs()"
