"""Identities as files: one person, or one subject, in a `.safetensors` file.

Arrays: `embeddings.<recogniser>` [P, D], `crops`, `keypoints`, `boxes`, possibly `weights` [P], `photo.0`, `photo.1`,
... uint8 [h, w, 3], and possibly `motion.landmarks`, `motion.words` and `motion.strength` (motion.Reconfiguration). Of
each photo the surroundings of the face are kept, made smaller where they are large; key points and boxes are in pixels
of what is kept. Texts: `format`, `version`, `name`, possibly `motion`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from .arrays_file import read_arrays, write_arrays
from .identity import Identity
from .identity_names import checked_name
from .landmarks import POINTS
from .motion import Reconfiguration
from .recogniser import CROP_SIZE

FORMAT, VERSION = "troupe-identity", 1
SUFFIX = ".safetensors"
EMBEDDINGS = "embeddings."
MOTION, MOTION_PARTS = "motion", ("landmarks", "words", "strength")
SURROUNDINGS = 3.0  # times the longer side of the face's box
LONGEST_SIDE = 640  # pixels: the largest crop an adapter takes is 512, of about twice the face
MOST_BYTES, HEADER = 256 << 20, 1 << 20
LARGEST_PICTURE = 4096 * 4096  # pixels


def save_identity(path: Path, identity: Identity) -> None:
    """Write an identity, in place of what was there.

    Raises OSError when that is not possible, ValueError for one that `load_identity` would refuse: nothing is written.
    """
    identity = with_portraits(identity)
    arrays = {"crops": identity.crops, "keypoints": identity.keypoints, "boxes": identity.boxes}
    arrays |= {EMBEDDINGS + recogniser: rows for recogniser, rows in identity.embeddings.items()}
    arrays |= {f"photo.{index}": photo for index, photo in enumerate(identity.photos)}
    if identity.weights:
        arrays["weights"] = np.asarray(identity.weights, np.float64)
    texts = {"format": FORMAT, "version": str(VERSION), "name": identity.name}
    if identity.motion is not None:
        arrays |= {f"{MOTION}.{part}": getattr(identity.motion, part) for part in MOTION_PARTS}
        texts[MOTION] = identity.motion.said
    try:
        _identity(checked_name(identity.name, "The identity"), arrays)
        if (size := sum(array.nbytes for array in arrays.values())) > MOST_BYTES - HEADER:
            raise ValueError(f"its faces and photos take {size >> 20} MB, at most {MOST_BYTES >> 20} are read")
    except ValueError as error:
        raise ValueError(
            f"'{identity.name!a}' cannot be saved, because no file of it could be loaded again: {error}. Extract the "
            "identity anew, with fewer photos if it is too large."
        ) from error
    write_arrays(path, arrays, texts)


def load_identity(path: Path) -> Identity:
    """Read an identity. Raises ValueError, naming the file and the fault, for anything that is not one."""
    try:
        arrays, texts = read_arrays(path, MOST_BYTES)
        if texts.get("format") != FORMAT:
            raise ValueError("it holds something else than an identity")
        version = texts.get("version", "")
        if not version.isdecimal() or int(version) > VERSION:
            raise ValueError(f"it is of version {version or 'none'}, and this Troupe reads up to {VERSION}; update it")
        return _identity(texts.get("name", "").strip(), arrays, texts.get(MOTION, ""))
    except OSError as error:
        raise ValueError(f"The identity file {path} cannot be read: {error.strerror or error}.") from error
    except ValueError as error:
        raise ValueError(
            f"The identity file {path} cannot be used: {error}. Save the identity again, or choose another file."
        ) from error


def read_picture(path: Path) -> np.ndarray:
    """The first face in an identity's file, or a subject's first photo, uint8 [h, w, 3]; nothing else is read.

    Raises ValueError, naming the file, for anything that is not one.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="np") as file:
            if (file.metadata() or {}).get("format") != FORMAT:
                raise ValueError("it holds something else than an identity")
            crops = file.get_slice("crops")
            if crops.get_shape()[0]:
                return _picture(crops[0:1][0])
            photo = file.get_slice("photo.0")
            if np.prod(photo.get_shape()) > 3 * LARGEST_PICTURE:
                raise ValueError(f"its photo has {photo.get_shape()} pixels")
            return _picture(photo[:])
    except (OSError, SafetensorError, ValueError, TypeError, IndexError) as error:
        raise ValueError(f"The identity file {path.name} shows no picture: {error}.") from error


def _picture(array: np.ndarray) -> np.ndarray:
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3 or 0 in array.shape:
        raise ValueError(f"its picture is {array.dtype} {list(array.shape)}")
    return array


def with_portraits(identity: Identity) -> Identity:
    """The same identity with the surroundings of its face in place of each whole photo, at most LONGEST_SIDE pixels."""
    if not identity.photos:
        return identity
    if not len(identity.boxes):
        return replace(identity, photos=tuple(_smaller(photo)[0] for photo in identity.photos))
    photos, keypoints, boxes = [], [], []
    for photo, points, box in zip(identity.photos, identity.keypoints, identity.boxes, strict=True):
        reach = float((box[2:] - box[:2]).max()) * SURROUNDINGS / 2
        size = photo.shape[1::-1]
        low = np.clip(np.floor((box[:2] + box[2:]) / 2 - reach), 0, np.subtract(size, 1)).astype(int)
        high = np.maximum(np.clip(np.ceil((box[:2] + box[2:]) / 2 + reach), 1, size).astype(int), low + 1)
        portrait, scale = _smaller(photo[low[1] : high[1], low[0] : high[0]])
        photos.append(portrait)
        keypoints.append((points - low) * scale)
        boxes.append((box - np.tile(low, 2)) * scale)
    arrays = {"keypoints": np.stack(keypoints).astype(np.float32), "boxes": np.stack(boxes).astype(np.float32)}
    return replace(identity, photos=tuple(photos), **arrays)


def _smaller(photo: np.ndarray) -> tuple[np.ndarray, float]:
    """The photo with at most LONGEST_SIDE pixels along its longer side, and the scale it was made smaller by."""
    import cv2

    scale = min(1.0, LONGEST_SIDE / max(photo.shape[:2]))
    if scale == 1:
        return np.ascontiguousarray(photo), 1.0
    size = (max(1, round(photo.shape[1] * scale)), max(1, round(photo.shape[0] * scale)))
    return cv2.resize(photo, size, interpolation=cv2.INTER_AREA), scale


def _identity(name: str, arrays: Mapping[str, np.ndarray], said: str = "") -> Identity:
    if not name:
        raise ValueError("it holds no name")
    crops = _checked(arrays, "crops", np.uint8, (None, CROP_SIZE, CROP_SIZE, 3))
    photos = tuple(
        _checked(arrays, f"photo.{index}", np.uint8, (None, None, 3))
        for index in range(sum(key.startswith("photo.") for key in arrays))
    )
    count = len(crops)
    if not count and not photos:
        raise ValueError("it holds neither a face nor a photo")
    if count and photos and len(photos) != count:
        raise ValueError(f"it holds {count} faces and {len(photos)} photos")
    weights = _checked(arrays, "weights", np.float64, (count or len(photos),)) if "weights" in arrays else ()
    return Identity(
        name=name,
        embeddings={
            key.removeprefix(EMBEDDINGS): _checked(arrays, key, np.float32, (count, None))
            for key in sorted(arrays)
            if key.startswith(EMBEDDINGS)
        },
        crops=crops,
        keypoints=_checked(arrays, "keypoints", np.float32, (count, 5, 2)),
        boxes=_checked(arrays, "boxes", np.float32, (count, 4)),
        photos=photos,
        weights=tuple(float(weight) for weight in weights),
        motion=_motion(arrays, count, said) if f"{MOTION}.strength" in arrays else None,
    )


def _motion(arrays: Mapping[str, np.ndarray], count: int, said: str) -> Reconfiguration:
    shapes = {"landmarks": (count, 2, POINTS, 2), "words": (count, 2, None), "strength": (count,)}
    parts = (_checked(arrays, f"{MOTION}.{part}", np.float32, shapes[part]) for part in MOTION_PARTS)
    return Reconfiguration(*parts, said=said)


def _checked(arrays: Mapping[str, np.ndarray], key: str, kind: type, shape: tuple[int | None, ...]) -> np.ndarray:
    """An array of the file, of that kind and shape (None is any length above 0, but for the first axis), all finite."""
    if key not in arrays:
        raise ValueError(f"it holds no '{key}'")
    array = arrays[key]
    fits = array.dtype == kind and array.ndim == len(shape)
    fits = fits and all(want in (None, have) for want, have in zip(shape, array.shape, strict=True))
    if not fits or 0 in array.shape[1:] or not np.all(np.isfinite(array)):
        raise ValueError(f"its '{key}' is {array.dtype} {list(array.shape)}, or not finite")
    return array
