"""Which face embeddings of an identity feed an adapter."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from ...face.identity import Identity, normed_embedding
from .adapter_model import LoadedAdapter


def embeddings_for(identity: Identity, adapter: LoadedAdapter, photos: str) -> Tensor:
    """A person's unit directions, float32 [P, embedding width], for a FaceID adapter, which was trained on such.

    photos : "average" for the mean direction of all photos (P = 1), "one per picture" for that of each photo

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
    if photos == "average":
        return torch.from_numpy(np.array(normed_embedding(identity, fitting[0])[None], dtype=np.float32))
    rows = torch.from_numpy(np.array(identity.embeddings[fitting[0]], dtype=np.float32)).reshape(-1, width)
    return torch.nn.functional.normalize(rows, dim=-1)
