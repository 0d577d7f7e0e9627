"""Stage: every scene of the corpus as a latent, encoded once and kept on disk."""

import logging
from pathlib import Path

import torch
from torch import Tensor, nn

from .autoencoder import encode
from .corpus import Corpus

log = logging.getLogger(__name__)


def latents_of(model: nn.Module, corpus: Corpus, folder: Path) -> Tensor:
    """Latents of all scenes in the corpus' order, fp16: [N, C, S/8, S/8].

    Kept in latents.pt; made anew when the corpus or the autoencoder has changed.
    """
    path = folder / "latents.pt"
    mark = [len(corpus), model.vae_scale.item(), model.taesd_encoder[0].weight.abs().sum().item()]
    if path.exists():
        state = torch.load(path, weights_only=True, mmap=True)
        if state["mark"] == mark:
            return state["latents"]
        log.warning("corpus or autoencoder have changed: what was trained on the latents in %s does not fit", path)
    log.info("encoding %d scenes", len(corpus))
    latents = torch.cat([encode(model, corpus.pictures(rows)).half() for rows in torch.arange(len(corpus)).split(256)])
    torch.save({"mark": mark, "latents": latents}, path.with_suffix(".part"))
    path.with_suffix(".part").replace(path)
    return latents
