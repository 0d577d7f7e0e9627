"""The language of the offline world: its few words, how a scene is described, how free text becomes word numbers."""

import re
from collections.abc import Callable

import torch
from torch import Tensor

from .scenes import BACKGROUNDS, EXPRESSIONS, KINDS, LOOKS, MOST, SHIRTS, Scene

COUNTS = ("nobody", "one", "two", "three", "four", "five", "six")
WORDS = ("<pad>", "<start>", "<end>", ",", *COUNTS, *BACKGROUNDS, *SHIRTS, *EXPRESSIONS, *LOOKS, *KINDS[1:])
NUMBER = {word: index for index, word in enumerate(WORDS)}
LENGTH = 32
assert LENGTH >= 4 + 4 * MOST  # start, count, background and end; a comma and three words for each figure

# Each word of the world with what people may say in its place.
# fmt: off
_ALSO_SAID = {
    "one": "1", "two": "2 couple", "three": "3", "four": "4", "five": "5", "six": "6", ",": "; .",
    "beach": "sea seaside", "forest": "woods", "night": "sky stars", "city": "street town",
    "desert": "dunes", "room": "indoors home", "plant": "cactus flower",
    "neutral": "calm serious", "smiling": "happy smile smiles", "sad": "unhappy frowning",
    "surprised": "shocked amazed", "ahead": "forward straight",
}
# fmt: on
SYNONYMS = {other: word for word, others in _ALSO_SAID.items() for other in others.split()}

_COUNTS_NO_MORE = {NUMBER[","], *(NUMBER[word] for word in COUNTS)}


def word_numbers(text: str) -> list[int]:
    """Free text as word numbers, without start and end. Words the world has no picture for are passed over.

    The first number before the first clause counts people: "at the beach two people, one in red" holds one count.
    """
    numbers: list[int] = []
    for word in re.findall(r"[a-z]+|[0-9]|[,;.]", text.lower()):
        word = SYNONYMS.get(word, word)
        if word in COUNTS and not _COUNTS_NO_MORE.isdisjoint(numbers):
            continue
        if word == "," and numbers and numbers[-1] == NUMBER[","]:
            continue
        if word in NUMBER:
            numbers.append(NUMBER[word])
    return numbers


def encode(numbers: list[int]) -> list[int]:
    """Word numbers with start, end and padding, `LENGTH` of them; what does not fit is cut."""
    body = [NUMBER["<start>"], *numbers[: LENGTH - 2], NUMBER["<end>"]]
    return body + [NUMBER["<pad>"]] * (LENGTH - len(body))


def _everything(_part: str) -> bool:
    return True


def caption_words(scene: Scene, row: int, keep: Callable[[str], bool] = _everything) -> list[str]:
    """The caption of one scene as words: how many people, where, and a clause for each figure from left to right.

    keep : asked for "count", "background" and "clauses", and for "shirt", "expression" and "look" of each person;
           what it refuses is left out
    """
    people = int((scene.kind[row] == 0).sum())
    words = [COUNTS[people]] if keep("count") else []
    words += [BACKGROUNDS[int(scene.background[row])]] if keep("background") else []
    if keep("clauses"):
        for figure in range(scene.figures):
            words += [",", *clause_words(scene, row, figure, keep)]
    return words


def clause_words(scene: Scene, row: int, figure: int, keep: Callable[[str], bool] = _everything) -> list[str]:
    """What a caption says of one figure; `keep` as for `caption_words`."""
    if scene.kind[row, figure] > 0:
        return [KINDS[int(scene.kind[row, figure])]]
    shirt, expression, look = (int(t[row, figure]) for t in (scene.shirt, scene.expression, scene.look))
    parts = {"shirt": SHIRTS[shirt], "expression": EXPRESSIONS[expression], "look": LOOKS[look]}
    return [word for part, word in parts.items() if keep(part)]


def caption_tokens(
    scene: Scene, generator: torch.Generator | None = None, drop: float = 0.0, counted: bool = True
) -> Tensor:
    """Captions of all scenes as word numbers [B, LENGTH]; each part is left out with probability `drop`.

    counted : whether they may say how many people there are
    """

    def keep(part: str) -> bool:
        if part == "count" and not counted:
            return False
        return drop == 0 or torch.rand((), generator=generator).item() >= drop

    captions = (caption_words(scene, row, keep) for row in range(len(scene)))
    return torch.tensor([encode([NUMBER[word] for word in words]) for words in captions])
