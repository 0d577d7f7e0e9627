"""What is connected to Score Cast, read: boxes as detectors give them, words by name, a text model's projection."""

import pytest
import torch
from pack.nodes.host.scores.prompt_judge import is_trained
from pack.nodes.scores.score_inputs import boxes_by_picture, words_by_member


def test_boxes_come_as_detectors_give_them():
    box = {"x": 1, "y": 2, "width": 3, "height": 4}

    for found in (box, [box], [[box]]):
        assert [boxes.tolist() for boxes in boxes_by_picture(found, 1)] == [[[1, 2, 4, 6]]]
    assert [boxes.shape for boxes in boxes_by_picture([[], []], 2)] == [(0, 4)] * 2
    assert [boxes.shape for boxes in boxes_by_picture([], 1)] == [(0, 4)]
    with pytest.raises(ValueError, match="boxes for 1 picture, and there are 2 pictures"):
        boxes_by_picture([[box]], 2)


def test_words_belong_to_names_however_they_are_written():
    names = ["Ada", "Ada (2)", "a: b"]

    assert words_by_member(" Ada : red, x: y\n\nAda (2):blue\na: b: green", names) == ["red, x: y", "blue", "green"]
    assert words_by_member("", names) == ["", "", ""]
    with pytest.raises(ValueError, match="the line 'Eve: red' begins with nobody's name. The members are: Ada, Ada"):
        words_by_member("Eve: red", names)


@pytest.mark.parametrize("stand_in", [torch.zeros(4, 4), torch.eye(4), torch.full((4, 4), torch.nan)])
def test_a_projection_that_the_file_did_not_bring_is_seen(stand_in):
    assert not is_trained(stand_in)
    assert is_trained(torch.randn(4, 4))
