"""The sizes of an adapter, read from the few tensors that decide them; the others are held to these later."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from .formats import ARCFACE, FORMATS, KOLORS_TOKEN
from .parts import AGAIN, AdapterFormatError
from .pulid import SCALES
from .resampler import HEAD
from .spec import AdapterSpec, ResamplerShape


def spec_of(
    kind: str, projection: Mapping[str, Tensor], keys: tuple[Tensor, ...], lora: bool, picture: int = 0
) -> AdapterSpec:
    """The spec of a file of that format; `picture` is its `picture_width`.

    Raises AdapterFormatError for a tensor that is missing or has no fit shape.
    """
    sizes = _Sizes(kind, projection)
    made = {
        "linear": _of_linear,
        "mlp": _of_mlp,
        "faceid": _of_faceid,
        "plus": _of_plus,
        "resampler": _of_resampler,
        "id encoder": _of_id_encoder,
        "id former": _of_id_former,
    }[FORMATS[kind].module](sizes)
    if made["cross_width"] == KOLORS_TOKEN and kind.startswith("kolors"):
        made["token_width"], made["cross_width"] = KOLORS_TOKEN, keys[0].shape[1]
    widths = tuple(key.shape[0] for key in keys)
    return AdapterSpec(kind=kind, layer_widths=widths, lora=lora, picture_width=picture, **made)


class _Sizes:
    """Shapes by key, with a sentence for what is not there."""

    def __init__(self, kind: str, projection: Mapping[str, Tensor]) -> None:
        self.kind = kind
        self.projection = projection

    def of(self, key: str, dimensions: int = 2) -> tuple[int, ...]:
        tensor = self.projection.get(key)
        if tensor is None:
            raise AdapterFormatError(
                f"it looks like a file of format {self.kind}, but its {FORMATS[self.kind].part} part "
                f"lacks {key}. {AGAIN}"
            )
        if tensor.ndim != dimensions or 0 in tensor.shape:
            raise AdapterFormatError(
                f"its {key} has the shape {list(tensor.shape)}, which a file of format {self.kind} cannot have: "
                f"it needs {dimensions} dimension{'s' * (dimensions > 1)}. {AGAIN}"
            )
        return tuple(tensor.shape)

    def tokens(self, rows: str, width: int) -> int:
        """How many tokens of a width the rows of a matrix make."""
        count = self.of(rows)[0]
        if count % width:
            raise AdapterFormatError(
                f"its shapes contradict each other: {rows} ends in {count} numbers, which is no multiple of the "
                f"token width {width}. {AGAIN}"
            )
        return count // width

    def resampler(self, prefix: str = "", latents: int = 0) -> ResamplerShape:
        width, inputs = self.of(f"{prefix}proj_in.weight")
        heads, depth = self.heads(prefix), self.depth(prefix)
        hidden = self.of(f"{prefix}layers.0.1.1.weight")[0]
        outputs = self.of(f"{prefix}proj_out.weight")[0]
        return ResamplerShape(inputs, width, heads, depth, hidden, outputs, latents)

    def heads(self, prefix: str = "") -> int:
        """Heads of a resampler's attention."""
        inner = self.of(f"{prefix}layers.0.0.to_q.weight")[0]
        if inner % HEAD:
            raise AdapterFormatError(
                f"its {prefix}layers.0.0.to_q.weight has {inner} rows, which is no multiple of {HEAD}, the numbers "
                f"of a head. {AGAIN}"
            )
        return inner // HEAD

    def depth(self, prefix: str = "") -> int:
        """Layers of a resampler."""
        start = len(prefix) + len("layers.")
        return len({key[start:].split(".")[0] for key in self.projection if key.startswith(f"{prefix}layers.")})

    def beside_faces(self, key: str) -> tuple[int, int]:
        """Rows of a map that reads a face embedding and a vector beside it, and numbers of that vector."""
        rows, inputs = self.of(key)
        if inputs <= ARCFACE:
            raise AdapterFormatError(
                f"its {key} reads {inputs} numbers, and a file of format {self.kind} reads more than the {ARCFACE} "
                f"of a face embedding. {AGAIN}"
            )
        return rows, inputs - ARCFACE


def _of_linear(sizes: _Sizes) -> dict:
    (width,) = sizes.of("norm.weight", 1)
    vision = sizes.of("proj.weight")[1]
    return _made(0, 0, sizes.tokens("proj.weight", width), width, vision)


def _of_mlp(sizes: _Sizes) -> dict:
    hidden, vision = sizes.of("proj.0.weight")
    return _made(0, hidden, 0, sizes.of("proj.2.weight")[0], vision)


def _of_faceid(sizes: _Sizes) -> dict:
    hidden, face = sizes.of("proj.0.weight")
    (width,) = sizes.of("norm.weight", 1)
    return _made(face, hidden, sizes.tokens("proj.2.weight", width), width)


def _of_plus(sizes: _Sizes) -> dict:
    resampler = sizes.resampler("perceiver_resampler.")
    return {**_of_faceid(sizes), "vision_width": resampler.inputs, "resampler": resampler}


def _of_resampler(sizes: _Sizes) -> dict:
    latents = sizes.of("latents", 3)[1]
    resampler = sizes.resampler(latents=latents)
    reads_faces = bool(FORMATS[sizes.kind].face)
    face, vision = (resampler.inputs, 0) if reads_faces else (0, resampler.inputs)
    return {**_made(face, 0, latents, resampler.outputs, vision), "resampler": resampler}


def _of_id_encoder(sizes: _Sizes) -> dict:
    hidden, vector = sizes.beside_faces("body.0.weight")
    vision, width = sizes.of("mapping_0.0.weight")[1], sizes.of("mapping_0.6.weight")[0]
    faces = sizes.tokens("body.6.weight", width)
    return {**_made(ARCFACE, hidden, faces + SCALES, width, vision), "vector_width": vector, "face_tokens": faces}


def _of_id_former(sizes: _Sizes) -> dict:
    hidden, vector = sizes.beside_faces("id_embedding_mapping.0.weight")
    _, latents, width = sizes.of("latents", 3)
    vision, outputs = sizes.of("mapping_0.0.weight")[1], sizes.of("proj_out")[1]
    depth = sizes.depth()
    if depth % SCALES:
        raise AdapterFormatError(f"it has {depth} layers, which is no multiple of {SCALES}, its scales. {AGAIN}")
    inner = sizes.of("layers.0.1.1.weight")[0]
    return {
        **_made(ARCFACE, hidden, latents, outputs, vision),
        "resampler": ResamplerShape(vision, width, sizes.heads(), depth, inner, outputs, latents),
        "vector_width": vector,
        "face_tokens": sizes.tokens("id_embedding_mapping.6.weight", width),
    }


def _made(face: int, hidden: int, tokens: int, width: int, vision: int = 0) -> dict:
    return {
        "embedding_width": face,
        "hidden": hidden,
        "tokens": tokens,
        "cross_width": width,
        "vision_width": vision,
    }
