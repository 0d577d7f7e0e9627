"""The face engine that reads InsightFace packs with onnxruntime and OpenCV, both imported when a pack is loaded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np

from .detector import Detections, detect_faces
from .engine import Face, FindingCache
from .needs import line_to_type
from .pack import FacePack, content_hash, fixed_input_size, input_size
from .providers import check_started, providers_for
from .recogniser import embed_crops, normalises_itself
from .search import find_faces

ASKED_EVERY = 0.2  # seconds
Run = Callable[[np.ndarray], "list[np.ndarray]"]  # one input, all outputs in the graph's order


@dataclass(frozen=True, eq=False)
class OnnxEngine:
    """A FaceEngine over a detector in SCRFD format and a recogniser in ArcFace format."""

    name: str
    recogniser: str
    fingerprint: str
    provider: str
    size: tuple[int, int]
    fixed_size: bool
    run_detector: Run = field(repr=False)
    run_recogniser: Run = field(repr=False)
    graph_normalises: bool
    one_at_a_time: bool
    drawn_only: bool = False
    cache: FindingCache | None = field(default=None, repr=False)
    landmark_file: Path | None = None

    def locate(self, image: np.ndarray, size: tuple[int, int], threshold: float) -> Detections:
        with named(self.name):
            found = detect_faces(image, self.run_detector, size, threshold)
        if found.keypoints is None:
            raise ValueError(no_key_points(self.name))
        return found

    def detect(self, image: np.ndarray) -> list[Face]:
        return find_faces(self, image).faces

    def embed(self, crops: np.ndarray) -> np.ndarray:
        run = lambda pixels: self.run_recogniser(pixels)[0]  # noqa: E731
        with named(self.name):
            return embed_crops(crops, run, self.graph_normalises, self.one_at_a_time)


def load_engine(pack: FacePack, provider: str = "auto", stopped: Callable[[], bool] | None = None) -> OnnxEngine:
    """The engine over a pack's two files.

    provider : one of providers.CHOICES
    stopped  : whether the user wants a run to end; asked for while a graph runs, from another thread
    Raises RuntimeError when that provider cannot be used or onnxruntime is missing, ValueError for a damaged file.
    """
    run_detector, _ = open_graph(pack.detector, provider, stopped)
    run_recogniser, running = open_graph(pack.recogniser, provider, stopped)
    (batch, *_), *_ = pack.recogniser_outline.inputs.values()
    recogniser = content_hash(pack.recogniser)
    return OnnxEngine(
        name=pack.name,
        recogniser=recogniser,
        fingerprint=f"onnx {content_hash(pack.detector)} {recogniser} {running}",
        provider=running,
        size=input_size(pack.detector_outline),
        fixed_size=fixed_input_size(pack.detector_outline) is not None,
        run_detector=run_detector,
        run_recogniser=run_recogniser,
        graph_normalises=normalises_itself(pack.recogniser_outline.first_nodes),
        one_at_a_time=batch is not None,
        landmark_file=pack.landmarks,
    )


@contextmanager
def named(pack: str) -> Iterator[None]:
    """Errors about what a pack's graphs give say which pack it is."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"The face pack '{pack}' cannot be used: {error}") from error


def no_key_points(name: str) -> str:
    """What is said of a detector that finds boxes alone."""
    return (
        f"The detector of face pack '{name}' gives no key points, so faces cannot be aligned. "
        "Use a pack whose detector does, such as buffalo_l or antelopev2."
    )


def gpu_present() -> bool:
    """Whether torch sees a GPU. A build of onnxruntime for GPUs offers them on machines without one, too."""
    import torch

    return torch.cuda.is_available()


def open_graph(path: Path, provider: str, stopped: Callable[[], bool] | None = None) -> tuple[Run, str]:
    """A function that runs the graph in `path`, and the provider it runs on; see load_engine."""
    try:
        import onnxruntime
        from onnxruntime.capi import onnxruntime_pybind11_state as errors
    except ImportError as error:
        raise RuntimeError(
            f"Face packs need the package onnxruntime, which cannot be imported ({error}). Type: {line_to_type()}"
        ) from error
    asked = providers_for(provider, onnxruntime.get_available_providers(), gpu_present())
    if asked[0] == "CUDAExecutionProvider" and hasattr(onnxruntime, "preload_dlls"):
        onnxruntime.preload_dlls()  # finds the CUDA libraries that came with torch
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors; its warnings about unused initialisers alarm for nothing
    # Between runs its threads would spin, and take the cores from the sampler for a few milliseconds gained per face.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # onnxruntime's exceptions have no common base but Exception
    failures = tuple(kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception))
    try:
        session = onnxruntime.InferenceSession(str(path), options, providers=asked)
    except failures as error:
        raise ValueError(f"{path} cannot be opened by onnxruntime {onnxruntime.__version__}: {error}") from error
    running = session.get_providers()
    check_started(provider, asked, running)
    source = session.get_inputs()[0]
    number = np.float16 if source.type == "tensor(float16)" else np.float32

    def run(pixels: np.ndarray) -> list[np.ndarray]:
        options = onnxruntime.RunOptions()
        try:
            with terminated_by(stopped, options):
                return session.run(None, {source.name: pixels.astype(number)}, options)
        except failures as error:
            raise ValueError(f"its file {path.name} failed while it ran ({first_line(error)}).") from error

    return run, running[0]


@contextmanager
def terminated_by(stopped: Callable[[], bool] | None, options: Any) -> Iterator[None]:
    """While a graph runs, end it by its RunOptions as soon as `stopped` says so: a graph may hold an endless loop."""
    done = Event()

    def watch() -> None:
        while not done.wait(ASKED_EVERY):
            if stopped():
                options.terminate = True
                return

    if stopped is not None:
        Thread(target=watch, daemon=True).start()
    try:
        yield
    finally:
        done.set()


def first_line(error: Exception) -> str:
    """Of an error's message, shortened."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
