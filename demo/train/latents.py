"""Stage: every scene of the corpus as a latent, encoded once and kept on disk; an interrupted run goes on."""

import logging
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn

from .autoencoder import encode
from .corpus import Corpus

log = logging.getLogger(__name__)
PART, SAVE_EVERY = 256, 10  # scenes that are encoded at a time; parts between two saves


def latents_of(model: nn.Module, corpus: Corpus, folder: Path) -> Tensor:
    """Latents of all scenes in the corpus' order, fp16: [N, C, S/8, S/8].

    Kept in latents.pt; gone on with when the corpus has grown, made anew when the autoencoder has changed.
    """
    return encoded(model, corpus, corpus.pictures, folder / "latents.pt", len(corpus))


def encoded(model: nn.Module, corpus: Corpus, drawn: Callable[[Tensor], Tensor], path: Path, count: int) -> Tensor:
    """Latents of something that is drawn of the first `count` scenes, kept in a file; see `latents_of`.

    drawn : scenes [N] -> pictures [N, 3, S, S] in 0..1
    """
    mark = [model.vae_scale.item(), model.taesd_encoder[0].weight.abs().sum().item(), len(corpus.chunks[0]["who"])]
    kept = _kept(path, mark)
    if kept is not None and len(kept) >= count:
        return kept[:count]
    # A copy, because the file that the kept ones are read from is about to be replaced.
    parts = [] if kept is None else [kept.clone()]
    remaining = torch.arange(sum(map(len, parts)), count).split(PART)
    log.info("encoding %s of %d scenes", path.stem, sum(map(len, remaining)))
    for number, rows in enumerate(remaining, 1):
        parts.append(encode(model, drawn(rows)).half())
        if number % SAVE_EVERY == 0 or number == len(remaining):
            parts = [torch.cat(parts)]
            torch.save({"mark": mark, "latents": parts[0]}, path.with_suffix(".part"))
            path.with_suffix(".part").replace(path)
            log.info("encoded %d of %d scenes", len(parts[0]), count)
    return parts[0]


def _kept(path: Path, mark: list) -> Tensor | None:
    """The latents that an earlier run has made of the same corpus with the same autoencoder, first scenes first."""
    if not path.exists():
        return None
    state = torch.load(path, weights_only=True, mmap=True)
    if state["mark"] == mark:
        return state["latents"]
    log.warning("corpus or autoencoder have changed: what was trained on the latents in %s does not fit", path)
    return None
