"""Strengths of single layers, as a user writes them: "input: 0.5, middle: 0, output 3-5: 1.2"."""

from __future__ import annotations

import re
from dataclasses import dataclass

PARTS = ("input", "middle", "output")
_ITEM = re.compile(r"^(all|input|middle|output)(?:\s+(\d+)(?:\s*-\s*(\d+))?)?\s*[:=]\s*(\d+(?:\.\d*)?|\.\d+)$")


@dataclass(frozen=True)
class LayerStrengths:
    """What multiplies the identities in each layer; 1 where nothing is said, and the last that is said counts.

    items : (part of the UNet or "all", first block, last block, strength), blocks as ComfyUI numbers them
    """

    items: tuple[tuple[str, int, int, float], ...] = ()

    def of(self, part: str, block: int) -> float:
        """The strength in the layers of a block: "input" | "middle" | "output" and its number."""
        found = 1.0
        for name, first, last, strength in self.items:
            if name in ("all", part) and first <= block <= last:
                found = strength
        return found


def parse_layer_strengths(text: str) -> LayerStrengths:
    """Read items separated by commas or lines, each `PART: STRENGTH` or `PART BLOCK: STRENGTH` or `PART FROM-TO: ...`.

    PART is input, middle, output or all. Raises ValueError that names the item which cannot be read.
    """
    items = []
    for item in filter(None, (part.strip() for part in re.split(r"[,;\n]", text.lower()))):
        match = _ITEM.match(item)
        if match is None:
            raise ValueError(
                f"Troupe: '{item}' is no layer strength. Write for example 'input: 0.5', 'middle: 0' or "
                "'output 3-5: 1.2', separated by commas; blocks are numbered as in ComfyUI, from 0."
            )
        part, first, last, strength = match.groups()
        if first is None:
            items.append((part, 0, 10_000, float(strength)))
        else:
            items.append((part, int(first), int(last or first), float(strength)))
    return LayerStrengths(tuple(items))
