"""Names of people as names of files: the same on every system, never a path, never a device."""

from __future__ import annotations

import re
import unicodedata

FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00-\x1f\x7f]')
DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{number}" for port in ("com", "lpt") for number in range(10))}
MOST_BYTES = 120  # of UTF-8; file systems take 255 for the whole name


def checked_name(name: str, whose: str) -> str:
    """What somebody is called, without spaces around. Raises ValueError without one, or for half a character.

    whose : what has the name, as in "The identity"
    """
    if not name.strip():
        raise ValueError(f"{whose} has no name. Type one: it is what scores and messages say.")
    try:
        name.encode()
    except UnicodeEncodeError as error:
        raise ValueError(
            f"{whose} is called {name!a}, and character {error.start + 1} of that is half of one, which no file can "
            "hold. Type the name again."
        ) from error
    return name.strip()


def file_stem(name: str) -> str:
    """A name for a file, without its suffix. Raises ValueError when nothing of the name is left."""
    text = unicodedata.normalize("NFC", name)
    text = FORBIDDEN.sub("_", "".join(sign if sign.isprintable() else "_" for sign in text))
    text = re.sub(r"\s+", " ", text).strip(" .")
    text = text.encode("utf-8", errors="ignore")[:MOST_BYTES].decode("utf-8", errors="ignore").strip(" .")
    if not text.strip("_"):
        raise ValueError(f"{name!a} leaves nothing to call a file by. Use letters or digits.")
    return f"{text}_" if text.split(".")[0].lower() in DEVICES else text


def free_stem(stem: str, taken: set[str]) -> str:
    """The stem itself, or the first of `stem-2`, `stem-3`, ... that is not taken; capitals do not tell names apart."""
    used = {name.lower() for name in taken}
    if stem.lower() not in used:
        return stem
    return next(name for number in range(2, len(used) + 3) if (name := f"{stem}-{number}").lower() not in used)
