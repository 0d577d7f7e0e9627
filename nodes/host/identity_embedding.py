"""Which face embedding of an identity feeds an adapter."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ...face.identity import Identity, normed_embedding
from .adapter_model import LoadedAdapter


def embedding_for(identity: Identity, adapter: LoadedAdapter) -> Tensor:
    """The person's unit direction, float32 [embedding width], for a FaceID adapter, which was trained on such.

    An adapter file does not say which recogniser it was trained with, so the identity must leave no choice: exactly
    one of its recognisers may give embeddings of the adapter's width. Raises ValueError otherwise.
    """
    width = adapter.spec.embedding_width
    widths = {name: np.shape(rows)[-1] for name, rows in identity.embeddings.items()}
    fitting = [name for name, found in widths.items() if found == width]
    if not fitting:
        found = ", ".join(f"{count} numbers from recogniser {name}" for name, count in widths.items()) or "none"
        raise ValueError(
            f"Troupe: the adapter '{adapter.name}' reads face embeddings of {width} numbers, and identity "
            f"'{identity.name}' has {found}. Extract it with a face engine of that width "
            "(buffalo_l and antelopev2 give 512)."
        )
    if len(fitting) > 1:
        raise ValueError(
            f"Troupe: identity '{identity.name}' was described by {len(fitting)} recognisers ({', '.join(fitting)}), "
            f"and the adapter '{adapter.name}' does not say which one it was trained with. "
            "Use an identity from one engine."
        )
    return torch.from_numpy(np.array(normed_embedding(identity, fitting[0]), dtype=np.float32))
