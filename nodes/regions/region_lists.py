"""Masks and colours with names to lists of regions, with an error in words for whatever does not fit."""

from __future__ import annotations

import re
from collections.abc import Sequence

import torch
from PIL import ImageColor
from torch import Tensor

from ...attention.regions.painted import LEAST, bounding_region, colour_masks, main_colours, painted_region
from ...attention.regions.region import Region

MASKS, COLOURS = "Troupe, Regions from Masks", "Troupe, Regions from Colours"
FRAMES = 0.5  # masks that share this part of what they cover stand for one person, as a rule
SMALLEST = 0.002  # part of the picture that a colour must fill to make a region by itself
EXAMPLE = "'Ada: red' or 'Ada: #ff0000'"
BASIC = ("black", "white", "gray", "red", "lime", "green", "blue", "yellow", "cyan", "magenta", "orange", "purple")
BASIC += ("brown", "pink", "navy", "teal", "olive", "maroon")

Colour = tuple[float, float, float]


def split_names(text: str) -> list[str]:
    """Names separated by commas or line breaks, without empty ones."""
    return [name.strip() for name in re.split(r"[,;\n]", text) if name.strip()]


def as_batch(masks: Tensor) -> Tensor:
    """Masks [B, H, W] of what packs hand out as masks: [H, W], [B, H, W], [B, 1, H, W] or [B, H, W, 1].

    Raises ValueError for any other shape.
    """
    shape = tuple(masks.shape)
    if len(shape) == 2:
        return masks[None]
    if len(shape) == 4 and 1 in (shape[1], shape[3]):
        return masks.squeeze(1 if shape[1] == 1 else 3)
    if len(shape) != 3:
        raise ValueError(
            f"{MASKS}: got masks of shape {list(shape)}, needs [masks, height, width]. Turn pictures into masks with "
            "Convert Image to Mask first."
        )
    return masks


def regions_from_masks(masks: Tensor, names: str, shape: str, others: Sequence[Region] = ()) -> tuple[Region, ...]:
    """A region per mask of a batch, of any shape that `as_batch` reads.

    names  : see split_names; masks without a name are numbered
    others : regions whose names are taken
    Raises ValueError for masks of another shape, for more names than masks, for a name that occurs twice, and for a
    mask with nothing on it.
    """
    masks = as_batch(masks)
    given = split_names(names)
    if len(given) > len(masks):
        raise ValueError(
            f"{MASKS}: there are {len(given)} names ({', '.join(given)}) for {len(masks)} masks. "
            "Take names away, or connect a batch with a mask for each."
        )
    called = given + [f"person {number}" for number in range(len(given) + 1, len(masks) + 1)]
    taken = [region.name for region in others] + called
    for name in called:
        if taken.count(name) > 1:
            raise ValueError(f"{MASKS}: two regions would be named '{name}'. Give every mask a name of its own.")
    pixels = torch.nan_to_num(masks.detach().to("cpu", torch.float32)).clamp(0, 1)
    for number, (name, mask) in enumerate(zip(called, pixels, strict=True), 1):
        if mask.max() <= LEAST:
            raise ValueError(f"{MASKS}: nothing is painted on mask {number} ('{name}'). Leave it out of the batch.")
    return tuple(_shaped(name, mask, shape) for name, mask in zip(called, pixels, strict=True))


def report_on_masks(regions: Sequence[Region], masks: Tensor) -> str:
    """A line that says who was made of the masks, and one more where they look like the frames of a clip."""
    names = [region.name for region in regions]
    line = f"{len(names)} mask{'s' * (len(names) != 1)}, {len(names)} region{'s' * (len(names) != 1)}: "
    line += ", ".join(names[:8]) + f" and {len(names) - 8} more" * (len(names) > 8) + "."
    overlap = _overlap_of_neighbours(as_batch(masks).detach().float() >= 0.5)
    if overlap < FRAMES:
        return line
    return (
        f"{line}\nEach mask lies mostly where the one before lies ({overlap:.0%}), as the frames of a clip do; here "
        "each makes a person of its own. For one person, hand over one mask."
    )


def _overlap_of_neighbours(painted: Tensor) -> float:
    """The part that masks [B, H, W] of 0 and 1 share with the one before, of both together; the median, 0 for one."""
    if len(painted) < 2:
        return 0.0
    before, after = painted[:-1].flatten(1), painted[1:].flatten(1)
    shared, both = (before & after).sum(1), (before | after).sum(1)
    return float((shared / both.clamp(min=1)).median())


def _shaped(name: str, mask: Tensor, shape: str) -> Region:
    return painted_region(name, mask) if shape == "mask" else bounding_region(name, mask, shape)


def regions_from_colours(
    image: Tensor, people: str, background: str, tolerance: float, shape: str
) -> tuple[Region, ...]:
    """A region per colour of a picture, IMAGE [1, H, W, C].

    people     : lines "name: colour"; empty takes every colour of at least SMALLEST but the background's
    background : a colour, or "auto"
    Raises ValueError for a batch, a colour that cannot be read or is not in the picture, and a picture of one colour.
    """
    if len(image) != 1:
        raise ValueError(f"{COLOURS}: got a batch of {len(image)} pictures, needs one. Pick it with Image From Batch.")
    picture = torch.nan_to_num(image[0, ..., :3].detach().to("cpu", torch.float32)).clamp(0, 1)
    picture = picture.expand(*picture.shape[:2], 3)
    named = _named_colours(people) if people.strip() else _found_colours(picture, background, tolerance)
    masks = colour_masks(picture, [colour for _, colour in named], tolerance)
    for (name, colour), mask in zip(named, masks, strict=True):
        if not mask.any():
            found = ", ".join(_hex(main) for main, _ in main_colours(picture, tolerance, SMALLEST)[:8])
            raise ValueError(
                f"{COLOURS}: no pixel has the colour {_hex(colour)} of '{name}' within {tolerance:g}. "
                f"The picture's main colours are {found}."
            )
    return tuple(_shaped(name, mask, shape) for (name, _), mask in zip(named, masks, strict=True))


def _named_colours(people: str) -> list[tuple[str, Colour]]:
    named: dict[str, Colour] = {}
    for entry in re.split(r"[;\n]|,(?![^(]*\))", people):  # commas within rgb(...) part nothing
        name, colon, colour = (part.strip() for part in entry.partition(":"))
        if not entry.strip():
            continue
        if not colon or not name or not colour:
            raise ValueError(f"{COLOURS}: '{entry.strip()}' is no name with a colour. Write {EXAMPLE}.")
        if name in named:
            raise ValueError(f"{COLOURS}: '{name}' has two colours. Give every region a name of its own.")
        named[name] = _colour(colour)
    return list(named.items())


def _found_colours(picture: Tensor, background: str, tolerance: float) -> list[tuple[str, Colour]]:
    """The colours that fill a part of the picture, from left to right, by name; without the background's."""
    edge = torch.cat([picture[0], picture[-1], picture[:, 0], picture[:, -1]])[None]
    empty = main_colours(edge, tolerance, 0.0)[0][0] if background.strip() == "auto" else _colour(background)
    colours = [colour for colour, _ in main_colours(picture, tolerance, SMALLEST)]
    colours = [colour for colour in colours if max(abs(a - b) for a, b in zip(colour, empty, strict=True)) > tolerance]
    if not colours:
        raise ValueError(f"{COLOURS}: the picture shows nothing but its background {_hex(empty)}. Paint people on it.")
    masks = colour_masks(picture, colours, tolerance)
    columns = torch.arange(picture.shape[1], dtype=torch.float32)
    centres = (masks.sum(1) * columns).sum(1) / masks.sum((1, 2)).clamp(min=1)
    ordered = [colours[index] for index in centres.argsort().tolist()]
    names = [_name_of(colour) for colour in ordered]
    return [
        (name if names.count(name) == 1 else f"{name} {names[: place + 1].count(name)}", colour)
        for place, (name, colour) in enumerate(zip(names, ordered, strict=True))
    ]


def _colour(text: str) -> Colour:
    try:
        return tuple(value / 255 for value in ImageColor.getrgb(text.strip())[:3])
    except ValueError as error:
        raise ValueError(f"{COLOURS}: '{text.strip()}' is no colour. Write one as in {EXAMPLE}.") from error


def _hex(colour: Colour) -> str:
    return "#" + "".join(f"{round(value * 255):02x}" for value in colour)


def _name_of(colour: Colour) -> str:
    """The basic colour that is nearest."""
    return min(BASIC, key=lambda name: sum((a - b) ** 2 for a, b in zip(_colour(name), colour, strict=True)))
