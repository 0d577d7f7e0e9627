"""The sizes the offline world is made in, and the shapes of its models: training and the loader node agree on them."""

from dataclasses import dataclass, field

from .captions import LENGTH, NUMBER, WORDS

CONTEXT = 128


@dataclass(frozen=True)
class Form:
    """One size of the world.

    size             pixels along a side
    latent_channels  channels of the autoencoder's latent, an eighth of the size along each side
    model_channels, channel_mult  widths of the UNet's four levels, in SD1.5's block structure
    heads, double_blocks, single_blocks  of the transformer, which is 64 wide for each head
    scenes           how many rendered scenes it is trained on
    steps            optimiser steps of each stage that trains something (demo/train/stages.py)
    """

    size: int
    latent_channels: int
    model_channels: int
    channel_mult: tuple[int, ...]
    scenes: int
    steps: dict[str, int] = field(default_factory=dict)
    heads: int = 3
    double_blocks: int = 2
    single_blocks: int = 5

    @property
    def unet(self) -> dict:
        """Arguments of ComfyUI's UNetModel: cross-attention in the same 16 places as SD1.5."""
        return {
            "image_size": 32,
            "in_channels": self.latent_channels,
            "out_channels": self.latent_channels,
            "model_channels": self.model_channels,
            "num_res_blocks": [2, 2, 2, 2],
            "channel_mult": list(self.channel_mult),
            "transformer_depth": [1, 1, 1, 1, 1, 1, 0, 0],
            "transformer_depth_output": [1] * 9 + [0] * 3,
            "transformer_depth_middle": 1,
            "use_spatial_transformer": True,
            "context_dim": CONTEXT,
            "num_heads": -1,
            "num_head_channels": 32,
            "use_linear_in_transformer": False,
            "legacy": False,
            "adm_in_channels": None,
            "use_temporal_attention": False,
            "use_temporal_resblock": False,
            "num_classes": None,
        }

    @property
    def transformer(self) -> dict:
        """Arguments of ComfyUI's Flux with FLUX.2's features, smaller and with patches of 2 x 2 cells."""
        return {
            "in_channels": self.latent_channels,
            "out_channels": self.latent_channels,
            "patch_size": 2,
            "context_in_dim": CONTEXT,
            "vec_in_dim": None,
            "guidance_embed": False,
            "hidden_size": 64 * self.heads,
            "num_heads": self.heads,
            "axes_dim": [16, 16, 16, 16],
            "theta": 2000,
            "mlp_ratio": 3.0,
            "mlp_silu_act": True,
            "depth": self.double_blocks,
            "depth_single_blocks": self.single_blocks,
            "global_modulation": True,
            "qkv_bias": False,
            "ops_bias": False,
            "txt_ids_dims": [3],
            "default_ref_method": "index",
            "ref_index_scale": 10.0,
        }


WORD_ROWS = "text_model.embeddings.token_embedding.weight"  # shipped with a row for each word; the host has more
TEXT = {
    "vocab_size": len(WORDS),
    "hidden_size": CONTEXT,
    "intermediate_size": 256,
    "num_attention_heads": 4,
    "num_hidden_layers": 2,
    "max_position_embeddings": LENGTH,
    "hidden_act": "quick_gelu",
    "eos_token_id": NUMBER["<end>"],
    "projection_dim": CONTEXT,
}

_STEPS_128 = {
    "autoencoder": 2700,
    "recogniser": 2000,
    "scorer": 1800,
    "detector": 8100,
    "reader": 2500,
    "text_to_image": 600,
    "identity": 9100,
    "control": 900,
    "decoder": 900,
    "subject_encoder": 1500,
    "subject": 600,
    "transformer": 62_500,
}
_STEPS_256 = {
    "autoencoder": 20_000,
    "recogniser": 20_000,
    "scorer": 20_000,
    "detector": 10_000,
    "reader": 5000,
    "text_to_image": 60_000,
    "identity": 20_000,
    "control": 15_000,
    "decoder": 10_000,
    "subject_encoder": 20_000,
    "subject": 10_000,
    "transformer": 125_000,
}
FORMS = {
    "128": Form(128, 8, 64, (1, 1, 1, 2), 40_000, _STEPS_128),
    "256": Form(256, 4, 64, (1, 1, 1, 2), 200_000, _STEPS_256),
    "smoke": Form(128, 8, 64, (1, 1, 1, 1), 8, dict.fromkeys(_STEPS_128, 2), 1, 1, 1),
}


def world_facts(name: str, form: Form) -> dict:
    """How the models of a form are built and which words they know: weights fit where these facts are the same."""
    return {
        "form": name,
        "size": form.size,
        "latent_channels": form.latent_channels,
        "unet": form.unet,
        "transformer": form.transformer,
        "text": TEXT,
        "words": list(WORDS),
        "length": LENGTH,
    }
