"""Analyses of photos kept by content, so that a photo is analysed once: in memory, and in a folder where one is named.

A key is the SHA-256 of the pixels, of what the engine is made of and of how it looked; it tells nothing about the face.
The folder may be shared by several processes: files appear whole under their key or not at all, whatever is damaged or
gone counts as not there, and what was not asked for the longest goes when there is too much.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path

import numpy as np

from .arrays_file import read_arrays, remove_unfinished, write_arrays
from .engine import Face, FaceEngine, Finding, Search

log = logging.getLogger(__name__)

VERSION = 5  # to be raised when engines or passes change what they find
MOST_IN_MEMORY, MOST_ON_DISK = 64 << 20, 256 << 20  # bytes; a face takes 40 kB
SUFFIX = ".face.safetensors"


class AnalysisCache:
    """A FindingCache. `folder` is made when something is first kept in it; None keeps in memory alone."""

    def __init__(
        self, folder: Path | None = None, most_in_memory: int = MOST_IN_MEMORY, most_on_disk: int = MOST_ON_DISK
    ) -> None:
        self.folder = folder
        self.most_in_memory = most_in_memory
        self.most_on_disk = most_on_disk
        self._kept: OrderedDict[str, Finding] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, engine: FaceEngine, image: np.ndarray, search: Search, find: Callable[[], Finding]) -> Finding:
        key = key_of(engine, image, search)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        finding = self._read(key)
        if finding is None:
            finding = find()
            self._write(key, finding)
        with self._lock:
            self._kept[key] = frozen(finding)
            while len(self._kept) > 1 and sum(map(size_of, self._kept.values())) > self.most_in_memory:
                self._kept.popitem(last=False)
        return finding

    def clear(self) -> tuple[int, int]:
        """Forget everything, in memory and in the folder; how many analyses, and how many files, there were."""
        with self._lock:
            count = len(self._kept)
            self._kept.clear()
        files = [path for path, _, _ in self._files()]
        for path in files:
            path.unlink(missing_ok=True)
        if self.folder is not None:
            remove_unfinished(self.folder, 0)
        return count, len(files)

    def _read(self, key: str) -> Finding | None:
        if self.folder is None:
            return None
        path = self.folder / (key + SUFFIX)
        try:
            finding = finding_from(*read_arrays(path, self.most_on_disk))
            os.utime(path)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("Troupe: a kept face analysis cannot be read and is made again (%s).", error)
            return None
        return finding

    def _write(self, key: str, finding: Finding) -> None:
        if self.folder is None:
            return
        try:
            write_arrays(self.folder / (key + SUFFIX), *arrays_of(finding))
            self._trim()
        except OSError as error:  # a full or locked disk costs time later, not this run
            log.warning("Troupe: a face analysis could not be kept in %s (%s).", self.folder, error)

    def _trim(self) -> None:
        files = sorted(self._files(), key=lambda file: file[1])
        total = sum(size for _, _, size in files)
        for path, _, size in files:
            if total <= self.most_on_disk:
                break
            path.unlink(missing_ok=True)
            total -= size

    def _files(self) -> list[tuple[Path, float, int]]:
        """What is kept in the folder, with its time of use and size; another process may take files away meanwhile."""
        found = []
        for path in self.folder.glob(f"*{SUFFIX}") if self.folder else ():
            try:
                found.append((path, path.stat().st_mtime, path.stat().st_size))
            except FileNotFoundError:
                continue
        return found


def key_of(engine: FaceEngine, image: np.ndarray, search: Search) -> str:
    """The key of an analysis, in hex."""
    facts = [VERSION, engine.fingerprint, engine.size, search.threshold, search.fallback, image.shape]
    digest = hashlib.sha256(json.dumps(facts).encode())
    digest.update(np.ascontiguousarray(image))
    return digest.hexdigest()


def size_of(finding: Finding) -> int:
    """Bytes of a finding, roughly."""
    return 1000 + sum(face.crop.nbytes + face.embedding.nbytes + 1000 for face in finding.faces)


def frozen(finding: Finding) -> Finding:
    """The same finding; its arrays, which are handed out more than once, refuse to be written to."""
    for face in finding.faces:
        for field in fields(Face):
            if isinstance(value := getattr(face, field.name), np.ndarray):
                value.setflags(write=False)
    return finding


def arrays_of(finding: Finding) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    """A finding as arrays and texts; see finding_from."""
    faces = finding.faces
    arrays = (
        {name: np.stack([getattr(face, name) for face in faces]) for name in ("bbox", "keypoints", "embedding", "crop")}
        if faces
        else {}
    )
    if faces:
        arrays["score"] = np.array([face.score for face in faces])
    texts = {"tried": json.dumps(finding.tried), "found": finding.found, "sure": str(finding.sure)}
    return arrays, texts | {"faces": str(len(faces))}


def finding_from(arrays: dict[str, np.ndarray], texts: dict[str, str]) -> Finding:
    """The finding that `arrays_of` was given. Raises ValueError, KeyError or TypeError for anything else."""
    tried, count = tuple(json.loads(texts["tried"])), int(texts["faces"])
    end = texts["found"], texts["sure"] == str(True)
    if not count:
        return Finding([], tried, *end)
    columns = [arrays["bbox"], arrays["score"].tolist(), arrays["keypoints"], arrays["embedding"], arrays["crop"]]
    if any(len(column) != count for column in columns) or not all(isinstance(words, str) for words in tried):
        raise ValueError("its parts do not belong together")
    return Finding([Face(*row) for row in zip(*columns, strict=True)], tried, *end)
