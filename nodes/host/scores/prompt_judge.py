"""How near each person's part of a picture is to everybody's prompt, as a CLIP model with both halves sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from comfy_execution.graph_utils import ExecutionBlocker
from torch import Tensor

from ....measure.match import similarity_matrix
from ..images import to_images

NODE = "Troupe, Score Cast"
# Conditionings of these widths carry a text embedding that lies beside pictures: OpenCLIP ViT-H (SD2) and ViT-bigG
# (SDXL). One of 768 is ViT-L's, and Stable Diffusion 1.5 and FLUX keep that without its projection.
PROJECTED = (1024, 1280)


@dataclass(frozen=True, eq=False)
class PromptJudge:
    """A CLIP vision model, and the words of those members that have any.

    vision  : ComfyUI's CLIP_VISION
    members : which members have words, P of them
    words   : [P, D], their prompts where the vision model's pictures are too
    """

    vision: Any
    members: tuple[int, ...]
    words: Tensor

    def similarity(self, picture: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        """Cosine of each person's part of the picture with everybody's words, [P, P].

        picture : uint8 [H, W, 3]
        boxes   : [P, 4] xyxy pixels, whole numbers, each with area
        """
        squares = [squared(picture[y0:y1, x0:x1], self.vision.image_mean) for x0, y0, x1, y1 in boxes.astype(int)]
        seen = torch.cat([self.vision.encode_image(to_images([square]))["image_embeds"] for square in squares])
        return similarity_matrix(seen.float().cpu().numpy(), self.words.numpy())


def squared(part: np.ndarray, mean: Sequence[float]) -> np.ndarray:
    """The part of a picture in the middle of a square, on the colour that the model takes for nothing.

    CLIP sees the middle square of a picture alone, and a standing person is more than that.
    """
    height, width = part.shape[:2]
    side = max(height, width)
    square = np.empty((side, side, 3), np.uint8)
    square[:] = np.round(np.array(mean) * 255).astype(np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = part
    return square


def judge_of(vision: Any, clip: Any, words: Sequence[str], prompts: Sequence[Any]) -> PromptJudge | None:
    """Who judges clothes and deeds; None when fewer than two members have words: there is nobody to mix them up with.

    words   : what each member wears and does, or "", to be embedded by `clip`
    prompts : each member's CONDITIONING or None, whose own embedding is used where there are no words at all
    Raises ValueError when the vision model and the words are not of one CLIP model.
    """
    width = vision.config.get("projection_dim", 0)
    if any(words):
        if clip is None:
            raise ValueError(
                f"{NODE}: 'prompts' has words, and they are compared with pictures by both halves of one CLIP model. "
                "Connect its text half to 'clip' (Load CLIP), or empty 'prompts'."
            )
        members = tuple(member for member, text in enumerate(words) if text)
        rows = [embedded(clip, words[member], width) for member in members]
    else:
        found = [(member, pooled(prompt)) for member, prompt in enumerate(prompts) if prompt is not None]
        members = tuple(member for member, row in found if row is not None)
        rows = [row for _, row in found if row is not None]
    if len(members) < 2:
        return None
    if not any(words):
        _check_width(rows, width)
    return PromptJudge(vision, members, torch.cat(rows))


def pooled(prompt: Any) -> Tensor | None:
    """The text embedding, [1, D], that a CONDITIONING of one part carries; None without one."""
    row = prompt[0][1].get("pooled_output") if len(prompt) == 1 else None
    return None if row is None else row[:1].detach().float().cpu()


def embedded(clip: Any, text: str, width: int) -> Tensor:
    """The text, [1, width], where pictures of the same CLIP model lie: its last token through the text projection.

    Raises ValueError when the text model has no projection of that width, or when the file came without one.
    """
    found = [part.text_projection for part in clip.cond_stage_model.modules() if hasattr(part, "text_projection")]
    projection = next((linear for linear in found if getattr(linear, "out_features", 0) == width), None)
    if projection is None:
        widths = ", ".join(str(getattr(linear, "out_features", "?")) for linear in found) or "none"
        raise ValueError(
            f"{NODE}: the CLIP vision model embeds pictures as {width} numbers, and the text projections of 'clip' "
            f"have {widths}. Connect the text half of the same CLIP model: SDXL's for ViT-bigG, SD2's for ViT-H, "
            "clip_l for ViT-L."
        )
    if not is_trained(projection.weight):
        raise ValueError(
            f"{NODE}: the text model in 'clip' came without its text projection, as in Stable Diffusion 1.5's, "
            "so its words cannot be compared with pictures. Load a whole text model with Load CLIP, as clip_l is."
        )
    _, row = clip.encode_from_tokens(clip.tokenize(text), return_pooled="unprojected")
    if row is None or row.shape[-1] != projection.in_features:
        raise ValueError(
            f"{NODE}: 'clip' joins several text models, and none of them can be asked alone. Connect one that holds "
            "the CLIP model of the pictures alone (Load CLIP), or SDXL's with ViT-bigG."
        )
    with torch.inference_mode():
        return projection(row[:1].to(projection.weight.device)).float().cpu()


def is_trained(weight: Tensor) -> bool:
    """Whether a projection holds something: not missing, nothing but zeros, or the identity that stands in for one."""
    if weight.is_meta or not bool(torch.isfinite(weight).all()) or not bool(weight.any()):
        return False
    return weight.shape[0] != weight.shape[1] or not torch.equal(weight.float().cpu(), torch.eye(len(weight)))


def _check_width(rows: Sequence[Tensor], width: int) -> None:
    widths = sorted({row.shape[-1] for row in rows})
    if widths == [width] and width in PROJECTED:
        return
    raise ValueError(
        f"{NODE}: the members' prompts carry text embeddings of {' and '.join(map(str, widths))} numbers, and the CLIP "
        f"vision model embeds pictures as {width}. Prompts of SDXL go with ViT-bigG (1280), those of SD2 with ViT-H "
        "(1024); for any other model type everybody's words into 'prompts' and connect the text half of the same CLIP "
        "model to 'clip'."
    )


def without(sentence: str) -> ExecutionBlocker:
    """Stands in for a value; a node that is connected to it does not run, and the editor shows the sentence."""
    return ExecutionBlocker(sentence)
