"""The picture half of EVA02-CLIP written out slowly in float64 numpy, by the published names; shares no code."""

import math

import numpy as np
from pack.tests.attention.reference_pulid import affine, normalised


def turned_by_place(part, row, column, cells):
    """One head's 64 numbers at a patch, as 32 complex ones: 16 are turned by its row, 16 by its column."""
    numbers = part[0::2] + 1j * part[1::2]
    for pair in range(16):
        speed = 10000 ** (-2 * pair / 32)
        numbers[pair] *= np.exp(1j * row * 16 / cells * speed)
        numbers[16 + pair] *= np.exp(1j * column * 16 / cells * speed)
    out = np.empty_like(part)
    out[0::2], out[1::2] = numbers.real, numbers.imag
    return out


def attention(weights, at, x, cells):
    query = x @ weights[f"{at}.q_proj.weight"].T + weights[f"{at}.q_bias"]
    key = x @ weights[f"{at}.k_proj.weight"].T
    value = x @ weights[f"{at}.v_proj.weight"].T + weights[f"{at}.v_bias"]
    heads = []
    for start in range(0, x.shape[1], 64):
        part = slice(start, start + 64)
        q, k = query[:, part].copy(), key[:, part].copy()
        for patch in range(cells * cells):
            place = (patch // cells, patch % cells, cells)
            q[patch + 1], k[patch + 1] = (turned_by_place(of[patch + 1], *place) for of in (q, k))
        scores = q @ k.T / 8
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        heads.append(scores / scores.sum(-1, keepdims=True) @ value[:, part])
    return affine(normalised(np.concatenate(heads, 1), weights, f"{at}.inner_attn_ln", 1e-6), weights, f"{at}.proj")


def feed_forward(weights, at, x):
    gate = affine(x, weights, f"{at}.w1")
    inner = gate / (1 + np.exp(-gate)) * affine(x, weights, f"{at}.w2")
    return affine(normalised(inner, weights, f"{at}.ffn_ln", 1e-6), weights, f"{at}.w3")


def eva_vision(weights, pixels):
    """Vector and five scales of features of one picture [3, side, side]."""
    kernel = weights["patch_embed.proj.weight"]
    size = kernel.shape[-1]
    cells = pixels.shape[-1] // size
    x = [weights["cls_token"][0, 0]]
    for row in range(cells):
        for column in range(cells):
            patch = pixels[:, row * size : (row + 1) * size, column * size : (column + 1) * size]
            x.append((kernel * patch).sum((1, 2, 3)) + weights["patch_embed.proj.bias"])
    x = np.stack(x) + weights["pos_embed"][0]
    scales = []
    for block in range(len({key.split(".")[1] for key in weights if key.startswith("blocks.")})):
        if block in (4, 8, 12, 16, 20):
            scales.append(x)
        at = f"blocks.{block}"
        x = x + attention(weights, f"{at}.attn", normalised(x, weights, f"{at}.norm1", 1e-6), cells)
        x = x + feed_forward(weights, f"{at}.mlp", normalised(x, weights, f"{at}.norm2", 1e-6))
    assert math.isfinite(x.sum())
    return affine(normalised(x[0], weights, "norm", 1e-6), weights, "head"), scales
