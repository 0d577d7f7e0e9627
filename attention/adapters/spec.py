"""The shape of an adapter: what it reads, how many tokens it makes, and which layers it serves."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ResamplerShape:
    """Sizes of a perceiver resampler.

    inputs  : numbers per image feature
    width   : numbers per latent
    heads   : of 64 numbers each
    depth   : pairs of an attention and a feed-forward part
    hidden  : width inside a feed-forward part
    outputs : numbers per token
    latents : learned ones; 0 where the tokens of a face take their place
    """

    inputs: int
    width: int
    heads: int
    depth: int
    hidden: int
    outputs: int
    latents: int = 0


@dataclass(frozen=True)
class AdapterSpec:
    """The shape of an adapter.

    kind            : the name of its format, of attention.adapters.formats.FORMATS
    embedding_width : numbers in the face embedding it reads; 0 where it reads none
    hidden          : width between the two linear maps of its projection; 0 where there are no such maps
    tokens          : tokens per identity; 0 where there is one for each image feature
    cross_width     : numbers per token of the layers; equals the width of the model's text tokens
    layer_widths    : output width of each pair of key and value maps, in file order
    lora            : the file also carries LoRA weights for the model, which are not part of the adapter
    vision_width    : numbers per image feature it reads; 0 where it reads none
    token_width     : numbers per token as projected, where that is not `cross_width` (Kolors FaceID); else 0
    resampler       : sizes of its resampler, if it has one
    vector_width    : numbers in the vector of the whole picture that it reads beside features (PuLID); else 0
    picture_width   : numbers per token of the picture that it adds to (PuLID for FLUX.1); 0 for text cross-attention
    face_tokens     : in PuLID, tokens that are made of the face and that vector alone; else 0
    """

    kind: str
    embedding_width: int
    hidden: int
    tokens: int
    cross_width: int
    layer_widths: tuple[int, ...]
    lora: bool = False
    vision_width: int = 0
    token_width: int = 0
    resampler: ResamplerShape | None = None
    vector_width: int = 0
    face_tokens: int = 0
    picture_width: int = 0

    @property
    def projected_width(self) -> int:
        """Numbers per token as it leaves the projection."""
        return self.token_width or self.cross_width
