"""The projection of InstantID's adapter (arXiv 2401.07519), written out slowly in float64, with no code of the pack."""

import math

import numpy as np

erf = np.vectorize(math.erf)


def normalised(x: np.ndarray, weights: dict, at: str) -> np.ndarray:
    centred = x - x.mean(-1, keepdims=True)
    return (
        centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5) * weights[f"{at}.weight"] + weights[f"{at}.bias"]
    )


def instantid_tokens(weights: dict[str, np.ndarray], face: np.ndarray) -> np.ndarray:
    """Sixteen latents ask, four times over, the one feature that an embedding is, and themselves.

    weights : float64, by the keys of the file's image_proj
    face    : [512] raw embedding
    returns [16, width of the text tokens]
    """
    feature = (weights["proj_in.weight"] @ face + weights["proj_in.bias"])[None]
    latents = weights["latents"][0]
    for layer in range(4):
        at = f"layers.{layer}"
        asking = normalised(latents, weights, f"{at}.0.norm2")
        seen = np.concatenate([normalised(feature, weights, f"{at}.0.norm1"), asking])
        query = asking @ weights[f"{at}.0.to_q.weight"].T
        key, value = np.split(seen @ weights[f"{at}.0.to_kv.weight"].T, 2, axis=1)
        answers = []
        for head in range(query.shape[1] // 64):
            part = slice(64 * head, 64 * head + 64)
            scores = np.exp(query[:, part] @ key[:, part].T / 8)
            answers.append(scores / scores.sum(-1, keepdims=True) @ value[:, part])
        latents = latents + np.concatenate(answers, 1) @ weights[f"{at}.0.to_out.weight"].T
        inner = normalised(latents, weights, f"{at}.1.0") @ weights[f"{at}.1.1.weight"].T
        latents = latents + (inner * (1 + erf(inner / 2**0.5)) / 2) @ weights[f"{at}.1.3.weight"].T
    return normalised(latents @ weights["proj_out.weight"].T + weights["proj_out.bias"], weights, "norm_out")
