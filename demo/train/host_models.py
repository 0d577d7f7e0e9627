"""ComfyUI's own model classes, built from plain torch layers so that they can be trained and then load unchanged."""

import sys

import torch
from torch import Tensor, nn


def import_host(path: str) -> None:
    """Make the ComfyUI at `path` importable. Must run before anything of it is imported."""
    sys.path.insert(0, path)
    device = [] if torch.cuda.is_available() else ["--cpu"]
    rest, sys.argv = sys.argv, [sys.argv[0], "--use-pytorch-cross-attention", *device]
    import comfy.options

    comfy.options.enable_args_parsing()
    import comfy.cli_args  # reads the arguments above
    import comfy.ldm.modules.attention as attention

    sys.argv = rest
    if comfy.cli_args.args.cpu:
        attention.optimized_attention = matrix_attention


class Layers:
    """Layers in the place of comfy.ops: torch's own, with their initial weights."""

    Linear, Conv2d, LayerNorm, RMSNorm = nn.Linear, nn.Conv2d, nn.LayerNorm, nn.RMSNorm

    class Embedding(nn.Embedding):
        """The host asks its embeddings for a dtype."""

        def forward(self, x: Tensor, out_dtype: torch.dtype | None = None) -> Tensor:
            return super().forward(x).to(out_dtype or self.weight.dtype)

    class GroupNorm(nn.GroupNorm):
        """GroupNorm written for channels-last tensors, where torch's own takes most of a training step on a CPU."""

        def forward(self, x: Tensor) -> Tensor:
            if x.is_cuda or x.dim() != 4:
                return super().forward(x)
            y = x.permute(0, 2, 3, 1).reshape(len(x), -1, self.num_groups, x.shape[1] // self.num_groups).float()
            variance, mean = torch.var_mean(y, (1, 3), keepdim=True, correction=0)
            normed = ((y - mean) * torch.rsqrt(variance + self.eps)).reshape(len(x), *x.shape[2:], -1)
            return (normed * self.weight + self.bias).to(x.dtype).permute(0, 3, 1, 2)

    @staticmethod
    def conv_nd(_dimensions: int, *arguments, **options) -> nn.Conv2d:
        """The host's convolution of any number of dimensions; here there are two."""
        return nn.Conv2d(*arguments, **options)


def new_unet(options: dict) -> nn.Module:
    """A UNet that starts as nothing, residual branches small and the output zero. options: see `Form.unet`."""
    from comfy.ldm.modules.diffusionmodules.openaimodel import UNetModel

    unet = UNetModel(**options, operations=Layers, device="cpu", dtype=torch.float32)
    with torch.no_grad():
        for name, parameter in unet.named_parameters():
            if name.endswith(("out_layers.3.weight", "proj_out.weight")):
                parameter.mul_(0.05)
        unet.out[2].weight.zero_()
        unet.out[2].bias.zero_()
    return unet.to(memory_format=torch.channels_last)


def new_control(options: dict, unet: nn.Module) -> nn.Module:
    """A ControlNet that starts as a copy of the UNet's first half with zero outputs (arXiv 2302.05543)."""
    from comfy.cldm.cldm import ControlNet

    options = {key: value for key, value in options.items() if key not in ("out_channels", "transformer_depth_output")}
    control = ControlNet(hint_channels=3, dtype=torch.float32, device="cpu", operations=Layers, **options)
    missing, _ = control.load_state_dict(unet.state_dict(), strict=False)
    with torch.no_grad():
        for name, parameter in control.named_parameters():
            if name.startswith(("zero_convs", "middle_block_out", "input_hint_block.14")):
                parameter.zero_()
    assert all(name.startswith(("zero_convs", "middle_block_out", "input_hint_block")) for name in missing), missing
    return control.to(memory_format=torch.channels_last)


def new_transformer(options: dict) -> nn.Module:
    """A Flux transformer that starts as nothing: closed gates and a zero output (arXiv 2212.09748, adaLN-Zero).

    options: see `Form.transformer`
    """
    from comfy.ldm.flux.model import Flux

    model = Flux(**options, operations=Layers, device="cpu", dtype=torch.float32)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "modulation" in name.lower() or name == "final_layer.linear.weight":
                parameter.zero_()
    return model


def new_text_encoder(options: dict) -> nn.Module:
    """CLIP's text model as ComfyUI has it, with torch's layers. options: see `form.TEXT`."""
    from comfy.clip_model import CLIPTextModel

    model = CLIPTextModel(options, torch.float32, "cpu", Layers)
    words = Layers.Embedding(options["vocab_size"], options["hidden_size"])  # the host makes one row for each of CLIP's
    model.set_input_embeddings(words)
    for name, parameter in model.named_parameters():
        if "embedding" in name:
            nn.init.normal_(parameter, std=0.5 if "token" in name else 0.1)
    return model


def text_states(model: nn.Module, tokens: Tensor) -> Tensor:
    """What CLIPTextEncode hands to the UNet: tokens [B, L] -> [B, L, C], the last layer after its norm.

    The host's own forward adds in place, which gradients do not survive; this is the same sum out of place.
    """
    text = model.text_model
    x = text.embeddings(tokens, dtype=torch.float32)
    length = tokens.shape[1]
    future = torch.full((length, length), -torch.finfo(x.dtype).max).triu_(1)
    for layer in text.encoder.layers:
        x = x + layer.self_attn(layer.layer_norm1(x), future, _masked_attention)
        x = x + layer.mlp(layer.layer_norm2(x))
    return text.final_layer_norm(x)


def new_image_encoder(options: dict) -> nn.Module:
    """CLIP's vision model as ComfyUI has it, with torch's layers. options: see `subject_encoder.CONFIG`."""
    from comfy.clip_model import CLIPVisionModelProjection

    model = CLIPVisionModelProjection(options, torch.float32, "cpu", Layers)
    embeddings = model.vision_model.embeddings
    for parameter in (embeddings.class_embedding, embeddings.position_embedding.weight):
        nn.init.normal_(parameter, std=0.1)
    return model


def image_embeds(model: nn.Module, pixels: Tensor) -> Tensor:
    """What CLIPVisionEncode calls image_embeds: normalised pixels [B, 3, S, S] -> [B, C]; see `text_states`."""
    vision = model.vision_model
    x = vision.pre_layrnorm(vision.embeddings(pixels).float())
    for layer in vision.encoder.layers:
        x = x + layer.self_attn(layer.layer_norm1(x), None, matrix_attention)
        x = x + layer.mlp(layer.layer_norm2(x))
    return model.visual_projection(vision.post_layernorm(x[:, 0]))


def _masked_attention(q: Tensor, k: Tensor, v: Tensor, heads: int, mask: Tensor, **_) -> Tensor:
    q, k, v = (_split_heads(t, heads) for t in (q, k, v))
    return nn.functional.scaled_dot_product_attention(q, k, v, mask).transpose(1, 2).flatten(2)


def _split_heads(t: Tensor, heads: int) -> Tensor:
    """[B, N, H * D] -> [B, H, N, D]"""
    return t.unflatten(-1, (heads, -1)).transpose(1, 2)


def new_autoencoder(latent_channels: int) -> nn.Module:
    """TAESD in ComfyUI's class, with weights a little under He's (arXiv 1502.01852), where training starts calmly."""
    from comfy.taesd.taesd import TAESD

    model = TAESD(latent_channels=latent_channels)
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
            with torch.no_grad():
                module.weight.mul_(0.7)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
    model.vae_scale.requires_grad_(False)
    model.vae_shift.requires_grad_(False)
    return model.to(memory_format=torch.channels_last)


def matrix_attention(q: Tensor, k: Tensor, v: Tensor, heads: int, *_, skip_reshape: bool = False, **__) -> Tensor:
    """Attention by plain matrix products: q [B, N, H * D], k and v [B, T, H * D] -> [B, N, H * D].

    On a CPU its backward pass is several times faster than the fused kernel's.
    skip_reshape : the host's word for q, k and v as [B, H, N, D]
    """
    if not skip_reshape:
        q, k, v = (_split_heads(t, heads) for t in (q, k, v))
    scores = (q * q.shape[-1] ** -0.5) @ k.mT
    return (scores.softmax(-1).to(v.dtype) @ v).transpose(1, 2).flatten(2)
