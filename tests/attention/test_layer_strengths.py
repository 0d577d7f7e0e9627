"""Layer strengths as users write them."""

import pytest
from pack.attention.recipes.layer_strengths import LayerStrengths, parse_layer_strengths


def test_nothing_written_leaves_every_layer_at_one():
    assert parse_layer_strengths(" ,\n ") == LayerStrengths()
    assert LayerStrengths().of("input", 4) == 1.0


def test_parts_blocks_and_ranges_are_read_and_the_last_word_counts():
    strengths = parse_layer_strengths("all: 0.5, Output: 2\ninput 4: 0; output 3 - 5 = .25")

    assert [strengths.of(*block) for block in (("middle", 0), ("input", 4), ("input", 5))] == [0.5, 0.0, 0.5]
    assert [strengths.of("output", block) for block in (2, 3, 5, 6)] == [2.0, 0.25, 0.25, 2.0]


@pytest.mark.parametrize("text", ["up: 1", "input", "input: -1", "input 4", "input x: 1", "input: 1 2", "middle 0 0.5"])
def test_what_cannot_be_read_is_named_with_an_example(text):
    with pytest.raises(ValueError, match="output 3-5: 1.2") as error:
        parse_layer_strengths(f"all: 1, {text}")

    assert f"'{text}'" in str(error.value)
