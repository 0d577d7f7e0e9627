"""One figure to sort pictures of a cast by, and the best of several."""

from __future__ import annotations

from collections.abc import Sequence

from .likeness import PictureScore


def overall(score: PictureScore) -> float:
    """One figure from 0 to 1 for a whole picture: right people, in their places, and nobody else.

    The mean over members of their similarity to themselves, where a member who is missing, who stands elsewhere or who
    is less than not alike counts as 0; times members over faces where there are more faces than members.
    """
    alike = (score.own.clip(min=0) * score.right_place).mean()
    return float(alike * min(1.0, score.expected / max(score.count, 1)))


def best(values: Sequence[float | None], keep: int, smallest: bool = False) -> list[int]:
    """Indices of the `keep` best values, best first; of equals the earlier one first, those without a value last.

    smallest : the smallest value is the best
    All of them where there are fewer. Raises ValueError unless `keep` is at least 1.
    """
    if keep < 1:
        raise ValueError(f"At least one picture must be kept, got {keep}.")
    sign = 1 if smallest else -1

    def rank(index: int) -> tuple[bool, float]:
        value = values[index]
        return value is None, 0.0 if value is None else sign * value

    return sorted(range(len(values)), key=rank)[:keep]
