"""What members of a cast show of their own prompts, and of each other's."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from pack.demo.scenes import EXPRESSIONS, LOOKS, SHIRTS
from pack.scripts.benches.offline_world.members import clauses, own_prompts, prompt_margin, seen_as_prompted, shown
from pack.scripts.benches.offline_world.people import Target
from pack.scripts.benches.offline_world.ratios import paired_share_figure
from pack.scripts.benches.offline_world.reading import Read

TWO = Target("two beach, red smiling left, blue sad ahead", (), (), torch.zeros(1, 8, 8))


def shows(clause):
    shirt, expression, look = clause.split()
    return Read(EXPRESSIONS.index(expression), LOOKS.index(look), SHIRTS.index(shirt))


def test_each_has_a_prompt_of_as_many_people_in_the_same_place():
    assert own_prompts(TWO) == [
        "two beach, red smiling left, red smiling left",
        "two beach, blue sad ahead, blue sad ahead",
    ]
    assert own_prompts(replace(TWO, prompt="one night, blue sad ahead")) == ["one night, blue sad ahead"]


def test_everybody_in_their_own_clothes_is_all_and_in_the_others_less_than_nothing():
    own = [shows(clause) for clause in clauses(TWO)]

    assert seen_as_prompted(TWO, own) == {"shirt": 1, "expression": 1, "look": 1, "prompted": 1}
    assert prompt_margin(TWO, own) == 1
    assert prompt_margin(TWO, own[::-1]) == -1
    assert seen_as_prompted(TWO, own[::-1])["prompted"] == 0


def test_both_in_the_same_clothes_say_nothing_of_whose_they_are():
    assert prompt_margin(TWO, [shows("red smiling left")] * 2) == 0
    assert seen_as_prompted(TWO, [shows("red smiling left")] * 2)["shirt"] == 0.5


def test_who_is_missing_shows_nothing():
    found = [shows("red smiling left"), None]

    assert seen_as_prompted(TWO, found)["prompted"] == 0.5
    assert prompt_margin(TWO, found) == 0.5


def test_words_that_all_share_do_not_count_for_the_margin():
    alike = replace(TWO, prompt="two beach, red smiling left, red smiling left")
    nearly = replace(TWO, prompt="two beach, red smiling left, red smiling right")

    assert prompt_margin(alike, [shows("red smiling left")] * 2) is None
    assert prompt_margin(nearly, [shows("blue sad left"), shows("blue sad right")]) == 1


def test_the_largest_face_in_a_strip_is_read():
    class Numbers:
        def read(self, _picture, boxes):
            return [Read(number, 0, 0) for number in range(len(boxes))]

    boxes = np.array([[2, 2, 6, 6], [1, 1, 30, 30], [70, 10, 80, 20]], np.float32)
    found = shown(Numbers(), np.zeros((96, 96, 3), np.uint8), boxes, 3)

    assert [read and read.expression for read in found] == [1, None, 2]
    assert shown(Numbers(), np.zeros((96, 96, 3), np.uint8), boxes[:0], 2) == [None, None]


def test_a_paired_share_does_not_see_what_both_have_in_common():
    whole = np.linspace(0.1, 1.0, 40)
    figure = paired_share_figure(whole / 4, whole)

    assert (figure.value, figure.low, figure.high) == pytest.approx((0.25, 0.25, 0.25))
    assert np.isnan(paired_share_figure([], []).value)
    assert np.isnan(paired_share_figure([0.0], [0.0]).value)
