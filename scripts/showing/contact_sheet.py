"""Draw the contact sheet: reference photos, the picture, and every face found in it with its name and similarity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from PIL import Image, ImageDraw, ImageFont

PAPER, INK, FAINT, RULE = "#faf9f6", "#22252b", "#80858f", "#dcdad3"
COLOURS = ("#d1495b", "#2a6f97", "#588157", "#e09f3e", "#7b5ea7", "#1b998b", "#a0522d", "#c05299")
NOBODY = "#9a9a9a"
MARGIN, GAP = 48, 32
PICTURE, TILE, LABEL, LINE = 720, 190, 230, 40


@dataclass(frozen=True)
class Found:
    """A face in a picture, as the score node reports it. `bbox` is xyxy pixels."""

    bbox: tuple[float, float, float, float]
    name: str | None
    similarity: float
    right_place: bool | None = None


@dataclass(frozen=True)
class Shot:
    """One picture, the faces found in it, who of the cast was not, and some words that sum it up."""

    picture: Image.Image
    faces: Sequence[Found] = field(default_factory=tuple)
    missing: Sequence[str] = field(default_factory=tuple)
    summary: Sequence[str] = field(default_factory=tuple)


def draw_sheet(title: str, references: Sequence[tuple[str, Image.Image]], shots: Sequence[Shot]) -> Image.Image:
    """One row per shot, the references on its left and the found faces on its right."""
    names = [name for name, _ in references] + [face.name for shot in shots for face in shot.faces if face.name]
    colours = {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(dict.fromkeys(names))}
    left = tile_columns(len(references)) * (TILE + GAP // 2)
    right = TILE + LABEL if any(shot.faces or shot.missing for shot in shots) else 0
    width = 2 * MARGIN + left + (GAP if left else 0) + PICTURE + (GAP + right if right else 0)
    rows = [row_height(shot, len(references)) for shot in shots]
    height = MARGIN + 80 + sum(rows) + GAP * (len(rows) - 1) + MARGIN
    sheet = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((MARGIN, MARGIN - 8), title, INK, font(34))
    draw.line([(MARGIN, MARGIN + 52), (width - MARGIN, MARGIN + 52)], RULE, 2)
    top = MARGIN + 80
    for shot, row in zip(shots, rows, strict=True):
        place_references(sheet, (MARGIN, top), references, colours)
        x = MARGIN + left + (GAP if left else 0)
        place_picture(sheet, (x, top), shot, colours)
        place_faces(sheet, (x + PICTURE + GAP, top), shot, colours)
        top += row + GAP
    return sheet


def row_height(shot: Shot, references: int) -> int:
    """The height of one row: the tallest of its three columns, headings included."""
    tiles = -(-references // max(tile_columns(references), 1)) * (TILE + 44)
    picture = fitted(shot.picture, PICTURE)[1] + 16 + len(lines_of(shot.summary)) * LINE
    found = len(shot.faces) * (TILE + GAP // 2) + len(shot.missing) * LINE
    return 40 + max(tiles, picture, found)


def tile_columns(count: int) -> int:
    """Columns of reference tiles."""
    return 0 if count == 0 else 1 if count <= 3 else 2


def place_references(
    sheet: Image.Image, at: tuple[int, int], references: Sequence[tuple[str, Image.Image]], colours: dict
):
    """The reference photos, each with its person's name below."""
    draw = ImageDraw.Draw(sheet)
    if references:
        draw.text(at, "References", FAINT, font(20))
    columns = tile_columns(len(references))
    for i, (name, photo) in enumerate(references):
        x, y = at[0] + i % columns * (TILE + GAP // 2), at[1] + 40 + i // columns * (TILE + 44)
        paste(sheet, square(photo), (x, y), TILE)
        draw.rectangle([x, y + TILE + 12, x + 14, y + TILE + 26], colours[name])
        draw.text((x + 24, y + TILE + 5), shortened(name, TILE - 24, 22), INK, font(22))


def place_picture(sheet: Image.Image, at: tuple[int, int], shot: Shot, colours: dict) -> None:
    """The picture with a box around each face, and its summary below."""
    draw = ImageDraw.Draw(sheet)
    draw.text(at, "Picture", FAINT, font(20))
    x, y = at[0], at[1] + 40
    width, height = fitted(shot.picture, PICTURE)
    sheet.paste(shot.picture.convert("RGB").resize((width, height), Image.Resampling.LANCZOS), (x, y))
    scale = width / shot.picture.width
    for face in shot.faces:
        x0, y0, x1, y1 = (value * scale for value in face.bbox)
        box = [x + max(x0, 0), y + max(y0, 0), x + min(x1, width - 1), y + min(y1, height - 1)]
        if box[0] < box[2] and box[1] < box[3]:
            draw.rounded_rectangle(box, 8, outline=colours.get(face.name, NOBODY), width=4)
    for i, line in enumerate(lines_of(shot.summary)):
        draw.text((x, y + height + 16 + i * LINE), line, INK, font(20))


def place_faces(sheet: Image.Image, at: tuple[int, int], shot: Shot, colours: dict) -> None:
    """A crop of every found face with whom it was taken for and how alike they are; then who was not found."""
    draw = ImageDraw.Draw(sheet)
    if shot.faces or shot.missing:
        draw.text(at, "Found in the picture", FAINT, font(20))
    for i, face in enumerate(shot.faces):
        x, y = at[0], at[1] + 40 + i * (TILE + GAP // 2)
        paste(sheet, face_crop(shot.picture, face.bbox), (x, y), TILE)
        colour, label = colours.get(face.name, NOBODY), x + TILE + 20
        draw.text((label, y + 10), shortened(face.name or "a stranger", LABEL - 20, 26), INK, font(26))
        if face.name:
            draw.text((label, y + 54), f"similarity {face.similarity:.2f}", FAINT, font(20))
            length = round((LABEL - 30) * min(max(face.similarity, 0.0), 1.0))
            draw.rounded_rectangle([label, y + 88, label + LABEL - 30, y + 98], 5, RULE)
            if length > 10:
                draw.rounded_rectangle([label, y + 88, label + length, y + 98], 5, colour)
        if face.right_place is not None and face.name:
            draw.text(
                (label, y + 114), "in their region" if face.right_place else "in the wrong place", FAINT, font(20)
            )
    top = at[1] + 40 + len(shot.faces) * (TILE + GAP // 2)
    for i, name in enumerate(shot.missing):
        y = top + i * LINE
        draw.rectangle([at[0], y + 6, at[0] + 14, y + 20], colours.get(name, NOBODY))
        draw.text((at[0] + 24, y), shortened(f"{name} was not found", TILE + LABEL - 24, 20), INK, font(20))


def paste(sheet: Image.Image, tile: Image.Image, at: tuple[int, int], side: int) -> None:
    """Put a square tile on the sheet, `side` pixels wide, with rounded corners."""
    mask = Image.new("L", (side * 4, side * 4), 0)
    ImageDraw.Draw(mask).rounded_rectangle([0, 0, side * 4 - 1, side * 4 - 1], 48, 255)
    mask = mask.resize((side, side), Image.Resampling.LANCZOS)
    sheet.paste(tile.convert("RGB").resize((side, side), Image.Resampling.LANCZOS), at, mask)


def square(picture: Image.Image) -> Image.Image:
    """The upper middle square of a photo."""
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 4
    return picture.crop((left, top, left + side, top + side))


def face_crop(picture: Image.Image, bbox: Sequence[float]) -> Image.Image:
    """A square around a face with some room, moved inside the picture where it would reach over its border."""
    x0, y0, x1, y1 = bbox
    side = min(max(x1 - x0, y1 - y0, 1.0) * 1.5, *picture.size)
    left = min(max((x0 + x1 - side) / 2, 0), picture.width - side)
    top = min(max((y0 + y1 - side) / 2, 0), picture.height - side)
    return picture.convert("RGB").resize((256, 256), Image.Resampling.LANCZOS, box=(left, top, left + side, top + side))


def fitted(picture: Image.Image, width: int) -> tuple[int, int]:
    """The size of a picture at a width."""
    return width, round(picture.height * width / picture.width)


def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """A wide font where the system has one, else the one inside Pillow (which knows Latin letters only)."""
    try:
        return ImageFont.truetype("DejaVuSans.ttf", size)
    except OSError:
        return ImageFont.load_default(size)


def shortened(text: str, width: int, size: int) -> str:
    """`text`, cut with an ellipsis where it would be wider than `width` pixels."""
    while len(text) > 1 and font(size).getlength(text) > width:
        text = text.removesuffix("…")[:-1] + "…"
    return text


def lines_of(parts: Sequence[str]) -> list[str]:
    """`parts` joined by dots into lines that fit below the picture."""
    lines: list[str] = []
    for part in parts:
        longer = f"{lines[-1]}   ·   {part}" if lines else part
        if lines and font(20).getlength(longer) <= PICTURE:
            lines[-1] = longer
        else:
            lines.append(shortened(part, PICTURE, 20))
    return lines
