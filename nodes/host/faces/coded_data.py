"""What the coded data of a JPEG or WebP file gives away of flipped bits that no reader complains of.

After a flipped bit a decoder mostly loses its place and finds it again elsewhere, so that it is done before the data
is, or its running brightness leaves what 8 bits can hold. Readers pass over both. Here a file is read once more in a
form that shows them: a JPEG with its picture made higher and its levels drawn together, a WebP without its last bytes.
"""

from __future__ import annotations

import io
from typing import NamedTuple

import av
import numpy as np
from PIL import Image

FRAMES = (0xC0, 0xC1, 0xC2)  # baseline, extended and progressive
TABLES, SCAN, RESTARTS = 0xDB, 0xDA, 0xDD
BLOCK = 8
SPARE = 32  # levels: some encoders make white a little whiter, because it sharpens edges on it
LEFT_OVER = 2  # the first unit of blocks beyond the end may be made of the bits that fill the last byte
WEBP_DATA = (b"VP8 ", b"VP8L")
NEEDED = 8  # bytes: encoders end with less than this that no decoder needs


class Header(NamedTuple):
    """Of a JPEG: where its height is written and its tables begin, in bytes; sampling and table of each component.

    restarts : whether there are marks in the data at which decoders begin anew, so that none has any left over
    """

    height_at: int
    height: int
    tables: dict[int, int]
    components: list[tuple[int, int, int]]
    restarts: bool


def contradiction_in(data: bytes, kind: str) -> str:
    """What is wrong with a file's coded data, in words that follow its name; empty where nothing is.

    kind : ffmpeg's name of the coding; other than "mjpeg" and "webp" is not looked at
    """
    if kind == "mjpeg":
        return _of_jpeg(data)
    if kind == "webp" and _webp_left_over(data):
        return "has data left over where its picture ends"
    return ""


def jpeg_header(data: bytes) -> Header | None:
    """The header of a JPEG; None where it cannot be followed or is of a rare kind."""
    frame, at, tables, restarts, place = b"", 0, {}, False, 2
    while data[place : place + 1] == b"\xff":
        marker, size = data[place + 1], int.from_bytes(data[place + 2 : place + 4], "big")
        if marker == 0xFF:  # one may fill up before a marker
            place += 1
            continue
        if marker == SCAN or size < 2 or place + 2 + size > len(data):
            break
        restarts |= marker == RESTARTS
        if marker in FRAMES:
            at, frame = place + 5, data[place + 4 : place + 2 + size]
        if marker == TABLES:
            tables.update(_tables(data, place + 4, place + 2 + size))
        place += 2 + size
    if len(frame) < 6 or frame[0] != 8 or len(frame) < 6 + 3 * frame[5]:
        return None
    parts = [frame[6 + 3 * i : 9 + 3 * i] for i in range(frame[5])]
    components = [(part[1] >> 4, part[1] & 15, part[2]) for part in parts]
    known = all(wide and high and table in tables for wide, high, table in components)
    return Header(at, int.from_bytes(frame[1:3], "big"), tables, components, restarts) if components and known else None


def _tables(data: bytes, place: int, end: int) -> dict[int, int]:
    found = {}
    while place + 65 <= end:
        deep, name = data[place] >> 4, data[place] & 15
        if not deep:
            found[name] = place + 1
        place += 129 if deep else 65
    return found


def _of_jpeg(data: bytes) -> str:
    header = jpeg_header(data)
    if header is None or not header.height:
        return ""
    single = len(header.components) == 1
    wide, high = (BLOCK * (1 if single else max(part[i] for part in header.components)) for i in (0, 1))
    end = -(-header.height // high) * high
    frame = _first_frame(_drawn_together(data, header, end + high))
    if frame is None or not frame.format.name.startswith(("yuv", "gray")) or frame.height != end + high:
        return ""
    below = _pixels(frame.planes[0])[end:]
    units = range(0, 0 if header.restarts else below.shape[1], wide)
    if sum(below[:, left : left + wide].any() for left in units) >= LEFT_OVER:
        return "has data left over where its picture ends"
    for plane, (_, _, table) in zip(frame.planes, header.components, strict=False):
        pixels, step = _pixels(plane), data[header.tables[table]]
        if _beyond(pixels[: end * len(pixels) // frame.height], step) > SPARE + step:
            return "has blocks brighter than white or darker than black"
    return ""


def _drawn_together(data: bytes, header: Header, height: int) -> bytes:
    """The file with all its steps 1 level, so that far too bright is still within 8 bits, and of another height."""
    changed = bytearray(data)
    for begin in header.tables.values():
        changed[begin : begin + 64] = b"\1" * 64
    changed[header.height_at : header.height_at + 2] = min(height, 0xFFFF).to_bytes(2, "big")
    return bytes(changed)


def _first_frame(data: bytes) -> av.VideoFrame | None:
    try:
        with av.open(io.BytesIO(data)) as container:
            return next(container.decode(video=0), None)
    except (av.error.FFmpegError, IndexError):
        return None


def _pixels(plane: av.video.plane.VideoPlane) -> np.ndarray:
    return np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: plane.height, : plane.width]


def _beyond(pixels: np.ndarray, step: int) -> float:
    """How many levels the mean of a block is above 255 or below 0, where a step of it is this many levels / 8."""
    rows, columns = (length // BLOCK for length in pixels.shape)
    if not rows or not columns:
        return 0.0
    blocks = pixels[: rows * BLOCK, : columns * BLOCK].reshape(rows, BLOCK, columns, BLOCK)
    return float(np.abs(blocks.mean((1, 3)) - 128).max()) * step - 128


def _webp_left_over(data: bytes) -> bool:
    """Whether a WebP picture is read without the last bytes of its data as well. Animations are not looked at."""
    place = 12
    while place + 8 <= len(data):
        kind, size = data[place : place + 4], int.from_bytes(data[place + 4 : place + 8], "little")
        if kind in WEBP_DATA:
            part = data[place + 8 : place + 8 + size][:-NEEDED]
            body = kind + len(part).to_bytes(4, "little") + part + b"\0" * (len(part) % 2)
            return _reads(b"RIFF" + (4 + len(body)).to_bytes(4, "little") + b"WEBP" + body)
        place += 8 + size + size % 2
    return False


def _reads(data: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
    except (OSError, SyntaxError, ValueError):
        return False
    return True
