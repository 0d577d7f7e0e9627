"""Check an archive against its hash, and unpack one folder of it without trusting what it says about paths."""

from __future__ import annotations

import hashlib
import shutil
import tarfile
from pathlib import Path, PurePosixPath

from .errors import Refusal


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hex."""
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def check_hash(path: Path, expected: str) -> None:
    """Raise Refusal unless `path` has the SHA-256 `expected`."""
    found = sha256_of(path)
    if found != expected:
        raise Refusal(
            f"The archive {path.name} is not the one this pack was tested with: its SHA-256 is {found}, "
            f"expected {expected}. Nothing of it was used. "
            "Check the package index that pip is configured with, then run the same command again."
        )


def path_below(name: str, inner: str, archive: Path) -> PurePosixPath | None:
    """Where a member goes, relative to the folder `inner` below the archive's top folder; None if it lies elsewhere.

    Raises Refusal for a name that would leave the folder it is unpacked in, or that Windows reads as something else.
    """
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or "\0" in name:
        raise Refusal(f"The archive {archive.name} holds the unsafe path {name!r}. Nothing of it was used.")
    below = path.parts[1:]
    wanted = PurePosixPath(inner).parts
    if below[: len(wanted)] != wanted:
        return None
    return PurePosixPath(*below[len(wanted) :])


def unpack_folder(archive: Path, inner: str, into: Path) -> None:
    """Unpack the folder `inner` (below the archive's top folder) as `into`, which appears only once it is complete.

    Plain files and folders only; raises Refusal for unsafe paths, links and devices, and when nothing is found there.
    """
    partial = into.with_name(into.name + ".partial")
    if partial.exists():
        shutil.rmtree(partial)
    partial.mkdir(parents=True)
    found = False
    with tarfile.open(archive, "r:gz") as tar:
        for member in tar:
            below = path_below(member.name, inner, archive)
            if below is None or member.isdir():
                continue
            if not member.isfile():
                raise Refusal(f"The archive {archive.name} holds {member.name!r}, which is neither file nor folder.")
            target = partial.joinpath(*below.parts)
            target.parent.mkdir(parents=True, exist_ok=True)
            source = tar.extractfile(member)
            assert source is not None
            with open(target, "wb") as file:
                shutil.copyfileobj(source, file)
            found = True
    if not found:
        raise Refusal(f"The archive {archive.name} holds no folder {inner}.")
    replace_folder(partial, into)


def replace_folder(new: Path, old: Path) -> None:
    """Put `new` in the place of `old`. A kill between the renames leaves no `old`, which the next run makes again."""
    if old.exists():
        doomed = old.with_name(old.name + ".old")
        if doomed.exists():
            shutil.rmtree(doomed)
        old.rename(doomed)
        new.rename(old)
        shutil.rmtree(doomed)
    else:
        new.rename(old)
