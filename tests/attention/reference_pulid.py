"""PuLID written out slowly in float64 numpy: its two encoders and the orthogonal forms of its attention.

Weights come as dictionaries by the published names; no code is shared with the pack.
"""

import math

import numpy as np

erf = np.vectorize(math.erf)


def normalised(x, weights, at, epsilon=1e-5):
    """A layer norm over the last axis."""
    centred = x - x.mean(-1, keepdims=True)
    return (
        centred / np.sqrt((centred**2).mean(-1, keepdims=True) + epsilon) * weights[f"{at}.weight"]
        + weights[f"{at}.bias"]
    )


def affine(x, weights, at):
    return x @ weights[f"{at}.weight"].T + weights[f"{at}.bias"]


def three_maps(x, weights, at):
    """Linear, norm, leak, linear, norm, leak, linear; a leak lets a hundredth of what is negative through."""
    for first, second in ((0, 1), (3, 4)):
        x = normalised(affine(x, weights, f"{at}.{first}"), weights, f"{at}.{second}")
        x = np.where(x > 0, x, x / 100)
    return affine(x, weights, f"{at}.6")


def id_encoder(weights, face, vector, scales):
    """Tokens [5 + 5, width] of one face [512], one vector and five scales of features [L, V]."""
    width = len(weights["mapping_0.6.bias"])
    tokens = list(three_maps(np.concatenate([face, vector]), weights, "body").reshape(-1, width))
    for number, features in enumerate(scales):
        patches = [three_maps(feature, weights, f"mapping_patch_{number}") for feature in features[1:]]
        tokens.append(three_maps(features[0], weights, f"mapping_{number}") + sum(patches) / len(patches))
    return np.stack(tokens)


def id_former(weights, face, vector, scales):
    """Tokens [latents, width] of one face, one vector and five scales of features."""
    return id_former_of_several(weights, [(face, vector, scales)])


def id_former_of_several(weights, photos):
    """Tokens [latents, width] of several photos: a face, a vector and five scales of features [L, V] of each."""
    learned = weights["latents"][0]
    own = [three_maps(np.concatenate([face, vector]), weights, "id_embedding_mapping") for face, vector, _ in photos]
    own = np.concatenate(own).reshape(-1, learned.shape[1])
    scales = [np.concatenate(parts) for parts in zip(*(scales for _, _, scales in photos), strict=True)]
    latents = np.concatenate([learned, own])
    depth = len({key.split(".")[1] for key in weights if key.startswith("layers.")})
    for layer in range(depth):
        scale = layer * len(scales) // depth
        seen = np.concatenate([own, three_maps(scales[scale], weights, f"mapping_{scale}")])
        latents = latents + asked(weights, f"layers.{layer}.0", seen, latents)
        inner = normalised(latents, weights, f"layers.{layer}.1.0") @ weights[f"layers.{layer}.1.1.weight"].T
        latents = latents + (inner * (1 + erf(inner / 2**0.5)) / 2) @ weights[f"layers.{layer}.1.3.weight"].T
    return latents[: len(learned)] @ weights["proj_out"]


def asked(weights, at, seen, latents):
    """Latents ask what was seen, and themselves; heads of 64."""
    asking = normalised(latents, weights, f"{at}.norm2")
    known = np.concatenate([normalised(seen, weights, f"{at}.norm1"), asking])
    query = asking @ weights[f"{at}.to_q.weight"].T
    key, value = np.split(known @ weights[f"{at}.to_kv.weight"].T, 2, axis=1)
    heads = []
    for start in range(0, query.shape[1], 64):
        part = slice(start, start + 64)
        scores = np.exp(query[:, part] @ key[:, part].T / 8)
        heads.append(scores / scores.sum(-1, keepdims=True) @ value[:, part])
    return np.concatenate(heads, 1) @ weights[f"{at}.to_out.weight"].T


def orthogonal(text, q, people, heads, fidelity, regional):
    """The attention of one picture with people whose own attention is made orthogonal to the text's.

    text, q : [N, C] the text's attention, and the queries
    people  : (keys [T, C], values [T, C], share [N]) of each person, zero tokens included
    returns [N, C]
    """
    count, channels = text.shape
    width = channels // heads
    out = text.copy()
    for keys, values, share in people:
        own, kept = np.zeros_like(text), np.zeros(count)
        for n in range(count):
            for head in range(heads):
                part = slice(head * width, (head + 1) * width)
                products = keys[:, part] @ q[n, part]
                scaled, bare = (np.exp(p - p.max()) for p in (products / math.sqrt(width), products))
                own[n, part] = scaled / scaled.sum() @ values[:, part]
                kept[n] += bare[:5].sum() / bare.sum() / heads
        for c in range(channels):
            counting = share if regional else np.ones(count)
            overlap = sum(counting[n] * text[n, c] * own[n, c] for n in range(count))
            square = sum(counting[n] * text[n, c] ** 2 for n in range(count))
            for n in range(count):
                said = overlap / square * text[n, c]
                out[n, c] += share[n] * (own[n, c] - said * (1 - (kept[n] if fidelity else 0)))
    return out


def read_by_picture(weights, at, row, tokens):
    """What one token of the picture reads of a person's tokens [T, width] in a cross-attention of PuLID for FLUX.1."""
    seen = normalised(tokens, weights, f"{at}.norm1")
    asking = weights[f"{at}.to_q.weight"] @ normalised(row, weights, f"{at}.norm2")
    both = seen @ weights[f"{at}.to_kv.weight"].T
    inner = len(asking)
    read = np.zeros(inner)
    for first in range(0, inner, 128):
        head = slice(first, first + 128)
        scores = [math.exp(asking[head] @ key[:inner][head] / math.sqrt(128)) for key in both]
        for score, value in zip(scores, both, strict=True):
            read[head] += score / sum(scores) * value[inner:][head]
    return weights[f"{at}.to_out.weight"] @ read
