"""What became of a run's attention, in a line of ComfyUI's log: what was routed, or why nothing was."""

from __future__ import annotations

from collections.abc import Sequence
from logging import INFO, WARNING, Logger

from ....attention.routing.policies import RoutedGroup, work
from ....attention.routing.token_map import PICTURE, REFERENCE, TEXT, total
from ..layers.joint_attention import Counts
from ..model.joint_stream import JointFamily, Stage

Told = tuple[Stage, Sequence[RoutedGroup]] | None


def report(log: Logger, family: JointFamily, counts: Counts, told: Told, dropped: int = 0) -> None:
    """Write it: a warning where people were not kept to their places in some calls, or in none.

    dropped : tokens of photos that the model was not given
    """
    line = lines_of(family, counts, told, dropped)
    if line is not None:
        log.log(*line)


def report_control(log: Logger, counts: Counts) -> None:
    """Warn where a ControlNet attended over another sequence than expected."""
    for found, expected in counts.other:
        log.warning(
            "Troupe: a ControlNet's attention had %d tokens, %d were expected, so people were not kept to their places "
            "in it, and what it says may carry a trace of one person to another.", found, expected,
        )  # fmt: skip


def lines_of(family: JointFamily, counts: Counts, told: Told, dropped: int = 0) -> tuple[int, str] | None:
    """(level, line), or None where the model was not called at all."""
    if counts.lost:
        return WARNING, (
            f"Troupe: the cast's photos did not reach this {family.name} model in {counts.lost} calls, so people were "
            "not kept to their places in them. Another pack takes reference latents out of prompts."
        )
    if counts.other:
        (found, expected), _ = max(counts.other.items(), key=lambda item: item[1])
        return WARNING, (
            f"Troupe: attention in {family.name} had {found} tokens, {expected} were expected, so people were not kept "
            f"to their places in {sum(counts.other.values())} calls ({counts.routed} others were routed). Another pack "
            "changes the sequence of tokens."
        )
    if not counts.routed:
        return (WARNING, (
            f"Troupe: no attention of this {family.name} model reached Apply Cast, so people were not kept to their "
            "places. Another pack replaces the model's own forward; load the model with ComfyUI's own loader."
        )) if counts.calls else None  # fmt: skip
    says = described(*told, dropped)
    return INFO, f"Troupe: {family.name}: {says}, {counts.routed} attention calls routed{_note(family)}"


def described(stage: Stage, groups: Sequence[RoutedGroup], dropped: int = 0) -> str:
    """Tokens, groups and work of a sequence, against an attention of everything to everything, what is dropped too."""
    lengths = {kind: [span.length for span in stage.spans if span.kind == kind] for kind in (TEXT, PICTURE, REFERENCE)}
    references = " + ".join(map(str, lengths[REFERENCE])) or "no"
    tokens = total(stage.spans)
    share = work(groups, tokens) * (tokens / (tokens + dropped)) ** 2
    left_out = f" ({dropped} left out)" if dropped else ""
    return (
        f"{sum(lengths[TEXT])} tokens of text, {sum(lengths[PICTURE])} of picture, "
        f"{references} of references{left_out}, {len(groups)} group{'s' * (len(groups) != 1)}, "
        f"{share:.2f} of the attention's work"
    )


def _note(family: JointFamily) -> str:
    return f" ({family.experimental})" if family.experimental else ""
