"""The face engine that runs the insightface library's own detector and recogniser on a pack, where it is installed.

Library releases from 0.7.3 to 2.1 are read. Since 1.0 a detector looks at a list of sizes that `prepare` was given, and
the size set on it is passed over, so the size goes into every call.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from .detector import Detections
from .engine import Face, FindingCache
from .onnx_engine import gpu_present, no_key_points
from .pack import FacePack, content_hash, fixed_input_size, input_size
from .providers import check_started, providers_for
from .recogniser import check_crops
from .search import find_faces


@dataclass(frozen=True, eq=False)
class InsightFaceEngine:
    """A FaceEngine over the library's SCRFD and ArcFaceONNX objects."""

    name: str
    recogniser: str
    fingerprint: str
    provider: str
    size: tuple[int, int]
    fixed_size: bool
    detector: Any = field(repr=False)
    describer: Any = field(repr=False)
    one_at_a_time: bool
    drawn_only: bool = False
    cache: FindingCache | None = field(default=None, repr=False)
    landmark_file: Path | None = None
    lock: Lock = field(default_factory=Lock, repr=False)  # the library keeps the threshold on its detector

    def locate(self, image: np.ndarray, size: tuple[int, int], threshold: float) -> Detections:
        with self.lock:
            self.detector.det_thresh = threshold
            rows, keypoints = self.detector.detect(_bgr(image), input_size=size)
        if keypoints is None:
            raise ValueError(no_key_points(self.name))
        return Detections(rows[:, :4].astype(np.float32), rows[:, 4].astype(np.float32), keypoints.astype(np.float32))

    def detect(self, image: np.ndarray) -> list[Face]:
        return find_faces(self, image).faces

    def embed(self, crops: np.ndarray) -> np.ndarray:
        check_crops(crops)
        pictures = [_bgr(crop) for crop in crops]
        groups = [[picture] for picture in pictures] if self.one_at_a_time else [pictures]
        parts = [self.describer.get_feat(group) for group in groups]
        return np.concatenate(parts).reshape(len(crops), -1).astype(np.float32)


def is_installed() -> bool:
    """Whether the library can be found; it is not imported."""
    return importlib.util.find_spec("insightface") is not None


def load_engine(pack: FacePack, provider: str = "auto") -> InsightFaceEngine:
    """The library over a pack's two files.

    provider : one of providers.CHOICES
    Raises RuntimeError when the library cannot be imported or the provider cannot be used, ValueError for a file that
    it does not read as a detector or recogniser.
    """
    try:
        import onnxruntime
        from insightface.model_zoo import model_zoo
    except (ImportError, ValueError, AttributeError) as error:  # built for another numpy, it fails in any of these ways
        raise RuntimeError(
            f"The package insightface cannot be imported ({error}). Install insightface 2.1, which needs no compiler, "
            "into ComfyUI's Python, or choose the library 'built-in'."
        ) from error
    asked = providers_for(provider, onnxruntime.get_available_providers(), gpu_present())
    detector, describer = (_opened(model_zoo, path, asked) for path in (pack.detector, pack.recogniser))
    if not hasattr(detector, "detect") or not hasattr(describer, "get_feat"):
        raise ValueError(
            f"The insightface library does not read the face pack '{pack.name}' as a detector and a recogniser. "
            "Choose the library 'built-in' in Load Face Engine."
        )
    for path, model in ((pack.detector, detector), (pack.recogniser, describer)):
        if (number := model.session.get_inputs()[0].type) == "tensor(float16)":
            raise ValueError(
                f"{path} takes {number}, half precision (fp16), and the insightface library gives every graph 32 bits. "
                "Choose the library 'built-in' in Load Face Engine, which reads both."
            )
    size = input_size(pack.detector_outline)
    detector.prepare(0, input_size=size, det_thresh=0.5)
    running = describer.session.get_providers()
    check_started(provider, asked, running)
    (batch, *_), *_ = pack.recogniser_outline.inputs.values()
    recogniser = content_hash(pack.recogniser)
    return InsightFaceEngine(
        name=pack.name,
        recogniser=recogniser,
        fingerprint=f"insightface {content_hash(pack.detector)} {recogniser} {running[0]}",
        provider=running[0],
        size=size,
        fixed_size=fixed_input_size(pack.detector_outline) is not None,
        detector=detector,
        describer=describer,
        one_at_a_time=batch is not None,
        landmark_file=pack.landmarks,
    )


def _opened(model_zoo: Any, path: Any, providers: list[str]) -> Any:
    """The library's object for one file. It raises whatever onnxruntime or its own assertions raise."""
    try:
        return model_zoo.get_model(str(path), providers=providers)
    except Exception as error:
        raise ValueError(
            f"{path} cannot be opened by the insightface library: {error or type(error).__name__}"
        ) from error


def _bgr(image: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(image[..., ::-1])
