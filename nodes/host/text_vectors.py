"""A text as one vector of ComfyUI's CLIP."""

from __future__ import annotations

from typing import Any

import numpy as np


def text_vector(clip: Any, text: str) -> np.ndarray:
    """The vector of the text's last token behind the last norm and before any projection, float32 [V].

    Raises ValueError where the text models in `clip` make none.
    """
    _, row = clip.encode_from_tokens(clip.tokenize(text), return_pooled="unprojected")
    if row is None:
        raise ValueError(
            "Troupe, Reconfigure Identity: the text model in 'clip' makes no vector of a whole text. Connect the CLIP "
            "of an SD1.5 checkpoint, which DynamicID's files were made for."
        )
    return row[0].detach().float().cpu().numpy()
