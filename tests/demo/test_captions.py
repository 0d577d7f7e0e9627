"""From free text to the words of the offline world, and from a scene to its caption."""

import pytest
import torch
from pack.demo.captions import (
    COUNTS,
    LENGTH,
    NUMBER,
    SYNONYMS,
    WORDS,
    caption_tokens,
    caption_words,
    encode,
    word_numbers,
)
from pack.demo.scenes import MOST, random_scenes


def words(text):
    return [WORDS[number] for number in word_numbers(text)]


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        ("two people at the beach", "two beach"),
        ("A photo of THREE friends in the City!", "three city"),
        ("3 people", "three"),
        ("a happy couple by the seaside", "smiling two beach"),
        ("one shocked man in the woods; wearing red, looking straight", "one surprised forest , red , ahead"),
        ("two people at the beach, one in red, two in blue", "two beach , red , blue"),
        ("at the beach two people, one in red", "beach two , red"),
        ("two, 3 or four people", "two ,"),
        ("night,,  ; . city", "night , city"),
        ("a cactus beside a ball", "plant ball"),
        ("photorealistic, masterpiece", ","),
        ("", ""),
    ],
)
def test_free_text_is_heard_as_words(text, heard):
    assert words(text) == heard.split()


@pytest.mark.parametrize("figures", range(1, MOST + 1))
def test_every_caption_is_heard_as_it_was_meant(figures):
    scene = random_scenes(40, figures, torch.Generator().manual_seed(figures), props=0.3)

    for row in range(len(scene)):
        caption = caption_words(scene, row)
        assert words(" ".join(caption)) == caption


def test_a_caption_names_count_place_and_everybody_from_left_to_right():
    scene = random_scenes(50, 3, torch.Generator().manual_seed(1), props=0.3)

    captions = [caption_words(scene, row) for row in range(len(scene))]

    for row, caption in enumerate(captions):
        assert caption[0] == COUNTS[int((scene.kind[row] == 0).sum())]
        assert caption.count(",") == 3
    assert {len(caption) for caption in captions} > {2 + 3 * 4}


def test_a_synonym_stands_for_a_word_and_is_none_itself():
    assert set(SYNONYMS.values()) <= set(WORDS)
    assert not set(SYNONYMS) & set(WORDS)


def test_every_word_that_can_be_written_is_heard():
    for word in WORDS[4:]:
        assert words(word) == [word]


def test_what_is_too_long_is_cut_and_still_ends():
    tokens = encode([NUMBER["red"]] * 100)

    assert len(tokens) == LENGTH
    assert (tokens[0], tokens[-1]) == (NUMBER["<start>"], NUMBER["<end>"])
    assert len(encode([])) == LENGTH


def test_the_longest_caption_fits():
    scene = random_scenes(1, MOST, torch.Generator().manual_seed(0), props=0.0)

    tokens = caption_tokens(scene)[0].tolist()

    assert tokens.index(NUMBER["<end>"]) == 2 + 4 * MOST + 1


def test_parts_are_left_out_with_the_given_probability():
    scene = random_scenes(400, 1, torch.Generator().manual_seed(0), props=0.0)

    def share_with_a_count(drop):
        return (caption_tokens(scene, torch.Generator().manual_seed(1), drop)[:, 1] == NUMBER["one"]).float().mean()

    assert share_with_a_count(0.0) == 1
    assert share_with_a_count(0.25) == pytest.approx(0.75, abs=0.07)
    assert share_with_a_count(1.0) == 0


def test_how_many_there_are_may_be_left_unsaid():
    scene = random_scenes(3, 2, torch.Generator().manual_seed(0), props=0.0)

    said, unsaid = (caption_tokens(scene, counted=counted) for counted in (True, False))

    assert (said == NUMBER["two"]).any(1).all()
    assert not (unsaid == NUMBER["two"]).any()
    assert torch.equal(unsaid[:, 1:-1], said[:, 2:])


def test_with_all_parts_left_out_nothing_is_said():
    scene = random_scenes(3, 2, torch.Generator().manual_seed(0))

    assert caption_tokens(scene, drop=1.0).tolist() == [encode([])] * 3
