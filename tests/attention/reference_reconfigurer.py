"""DynamicID's reconfigurer and key point encoder from the tensors of their files, number by number, in float64."""

from __future__ import annotations

import math

import numpy as np


def normed(x, weight, bias):
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5) * weight + bias


def gelu(x):
    return x * 0.5 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def softmax(x):
    e = np.exp(x - x.max())
    return e / e.sum()


def attention(asking, asked, to_q, to_kv, to_out):
    """One query after the other, one head after the other; heads are of 64 numbers."""
    heads = len(to_q) // 64
    keys, values = to_kv[: heads * 64], to_kv[heads * 64 :]
    out = []
    for query in asking:
        parts = []
        for head in range(heads):
            rows = slice(64 * head, 64 * head + 64)
            q = to_q[rows] @ query
            weights = softmax(np.array([q @ (keys[rows] @ other) / 8 for other in asked]))
            parts.append(sum(w * (values[rows] @ other) for w, other in zip(weights, asked, strict=True)))
        out.append(to_out @ np.concatenate(parts))
    return np.stack(out)


class Slow:
    """Named tensors as float64 arrays."""

    def __init__(self, state):
        self.state = {key: value.double().numpy() for key, value in state.items()}

    def line(self, name, x):
        return x @ self.state[f"{name}.weight"].T + self.state.get(f"{name}.bias", 0)

    def norm(self, name, x):
        return normed(x, self.state[f"{name}.weight"], self.state[f"{name}.bias"])

    def maps(self, name):
        return (self.state[f"{name}.{which}.weight"] for which in ("to_q", "to_kv", "to_out"))

    def motion(self, motion):
        x = gelu(self.line("feature_fusion.1", self.norm("feature_fusion.0", motion)))
        x = gelu(self.line("feature_fusion.4", self.norm("feature_fusion.3", x)))
        return x.reshape(-1, len(self.state["proj_in.weight"]))

    def net(self, name, tokens, motion):
        for layer in range(len({key.split(".")[1] for key in self.state if key.startswith(name)})):
            at = f"{name}.{layer}"
            own = self.norm(f"{at}.0.norm2", tokens)
            asked = np.concatenate([self.norm(f"{at}.0.norm1", motion), own])
            tokens = tokens + attention(own, asked, *self.maps(f"{at}.0"))
            own = self.norm(f"{at}.1.norm1", tokens)
            tokens = tokens + attention(own, own, *self.maps(f"{at}.1"))
            inner = gelu(self.line(f"{at}.2.1", self.norm(f"{at}.2.0", tokens)))
            tokens = tokens + self.line(f"{at}.2.3", inner)
        return tokens

    def reconfigured(self, tokens, source, target):
        """[T, W], [motion], [motion] -> [T, W]"""
        x = self.line("proj_in", self.norm("norm_in", tokens))
        x = self.net("disentangleNet", x, self.motion(source))
        x = self.net("entangleNet", x, self.motion(target))
        return self.line("proj_out", self.norm("norm_out", x))


def dots(landmarks, side=96):
    """Points in fractions of the photo as white pixels, as the released code draws them: none on row or column 0."""
    picture = np.full((side, side), -1.0)
    for x, y in landmarks:
        x, y = x * side, y * side
        if 0 < x < side and 0 < y < side:
            picture[int(y), int(x)] = 1.0
    return picture
