"""Seven tokens of two people, and the slow reference of self-attention run on them."""

import torch
from pack.tests.attention.reference_modes import softmax_attention
from pack.tests.attention.reference_self import Reference, self_attention

HEADS, TOKENS, WIDTH = 2, 7, 4
NOBODY, FIRST, SECOND, BOTH = (0, 0), (1, 0), (0, 1), (1, 1)
PLACES = (FIRST, FIRST, SECOND, SECOND, NOBODY, NOBODY, FIRST)
REGIONS = torch.tensor(PLACES, dtype=torch.bool)
ONE = torch.ones(TOKENS, 1, dtype=torch.bool)


def randoms(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


Q, K, V = (randoms(TOKENS, WIDTH, seed=seed) for seed in (1, 2, 3))
PLAIN = softmax_attention(Q, K, V, HEADS)


def photo(seed, length=5, odds=1.0, face=None):
    face = torch.ones(length, dtype=torch.bool) if face is None else torch.tensor(face, dtype=torch.bool)
    return Reference(randoms(length, WIDTH, seed=seed), randoms(length, WIDTH, seed=seed + 1), face, odds)


def run(regions=REGIONS, eta=1.0, background="shared", references=(), q=Q, k=K, v=V):
    return self_attention(q, k, v, regions, HEADS, eta, background, references)


def close(one, other):
    return torch.allclose(one, other, rtol=1e-12, atol=1e-12)


def reach(regions, layers=1, eta=0.0, background="shared", references=()):
    """[N, N] bool: whether the output at a token depends on what went in at another."""
    weights = randoms(layers, 3, WIDTH, WIDTH, seed=9)

    def network(x):
        for q, k, v in weights:
            x = x + run(regions, eta, background, references, x @ q, x @ k, x @ v)
        return x

    jacobian = torch.autograd.functional.jacobian(network, randoms(len(regions), WIDTH, seed=8))
    assert jacobian.isfinite().all()
    return jacobian.abs().amax((1, 3)) > 0
