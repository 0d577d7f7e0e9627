"""The offline world's text encoder in ComfyUI's frame: a tokenizer of whole words and a small CLIP text model."""

import comfy.sd
import comfy.sd1_clip
import comfy.supported_models_base
import torch

from ...demo.captions import LENGTH, NUMBER, word_numbers
from ...demo.form import CONTEXT, TEXT, WORD_ROWS


class WordTokenizer:
    """What ComfyUI asks of a tokenizer, for a language of a few dozen words."""

    @classmethod
    def from_pretrained(cls, _path: str, **_options) -> "WordTokenizer":
        return cls()

    def __call__(self, text: str) -> dict[str, list[int]]:
        return {"input_ids": [NUMBER["<start>"], *word_numbers(text), NUMBER["<end>"]]}

    def get_vocab(self) -> dict[str, int]:
        return dict(NUMBER)


class _Segments(comfy.sd1_clip.SDTokenizer):
    def __init__(self, embedding_directory=None, tokenizer_data=None):
        super().__init__(
            max_length=LENGTH,
            pad_with_end=False,
            embedding_directory=embedding_directory,
            embedding_size=CONTEXT,
            tokenizer_class=WordTokenizer,
            tokenizer_data=tokenizer_data or {},
        )


class _Tokenizer(comfy.sd1_clip.SD1Tokenizer):
    def __init__(self, embedding_directory=None, tokenizer_data=None):
        super().__init__(embedding_directory, tokenizer_data or {}, tokenizer=_Segments)


class _TextModel(comfy.sd1_clip.SDClipModel):
    def __init__(self, device="cpu", dtype=None, model_options=None):
        super().__init__(
            device=device,
            max_length=LENGTH,
            textmodel_json_config=dict(TEXT),
            dtype=dtype,
            special_tokens={"start": NUMBER["<start>"], "end": NUMBER["<end>"], "pad": NUMBER["<pad>"]},
            return_projected_pooled=False,
            model_options=model_options or {},
        )


class _ClipModel(comfy.sd1_clip.SD1ClipModel):
    def __init__(self, device="cpu", dtype=None, model_options=None):
        super().__init__(device, dtype, model_options or {}, clip_model=_TextModel)


def _with_rows(state: dict, rows: int) -> dict:
    """The state dict with `rows` token rows: the shipped file has one for each word, the host's model always more."""
    words = state.get(WORD_ROWS)
    if words is None or len(words) >= rows:
        return state
    unused = torch.zeros(rows - len(words), words.shape[1], dtype=words.dtype)
    return {**state, WORD_ROWS: torch.cat([words, unused])}


def load_text_encoder(state: dict) -> comfy.sd.CLIP:
    """A CLIP socket value for the stock CLIPTextEncode, from a CLIPTextModel state dict.

    Raises RuntimeError naming the tensors that the state dict lacks.
    """
    target = comfy.supported_models_base.ClipTarget(_Tokenizer, _ClipModel)
    clip = comfy.sd.CLIP(target, parameters=sum(t.numel() for t in state.values()))
    rows = clip.cond_stage_model.clip_l.transformer.get_input_embeddings().num_embeddings
    missing, _ = clip.load_sd(_with_rows(state, rows))
    missing = [key for key in missing if "logit_scale" not in key]
    if missing:
        raise RuntimeError(f"Troupe: the demo's text encoder lacks {', '.join(missing)}. Reinstall the pack.")
    return clip
