"""How long the sequences are that each family's layers attend over: recorded on the real models, and as the pack says.

Fails when a new ComfyUI lays tokens out in another way.
"""

from types import SimpleNamespace

import pytest
import torch
from pack.attention.routing.token_map import total
from pack.nodes.host.layers.joint_attention import PLACE
from pack.nodes.host.model.families import family_of
from pack.nodes.host.model.joint_stream import Forward
from pack.scripts.benches.engine.joint_models import FAMILIES, sample, text, tiny, tiny_zimage

REFERENCES = ((6, 4), (3, 5))


def recorded(model, positive, size):
    """The numbers of tokens in the attention calls of one forward."""
    lengths = []

    def note(kernel, q, k, *args, **kwargs):
        lengths.append(k.shape[2])
        return kernel(q, k, *args, **kwargs)

    model = model.clone()
    model.model_options["transformer_options"][PLACE] = note
    sample(model, positive, steps=1, size=size)
    return lengths


def said(model, forward):
    stages = family_of(model).stages(model.model.diffusion_model, forward)
    return [(total(stage.spans), stage.calls) for stage in stages]


def assert_as_said(lengths, stages):
    """Every call is as long as its stage is; the last stage has all that follow."""
    for length, calls in stages:
        count = len(lengths) if calls is None else calls
        assert lengths[:count] == [length] * count
        lengths = lengths[count:]
    assert not lengths


def latents(model, sizes):
    format = model.model.latent_format
    frames = (1,) * (format.latent_dimensions - 2)
    return [torch.randn(1, format.latent_channels, *frames, *size) for size in sizes]


@pytest.mark.parametrize("size", [(8, 8), (6, 10)])
@pytest.mark.parametrize("sizes", [(), REFERENCES], ids=["alone", "references"])
@pytest.mark.parametrize("name", FAMILIES)
def test_sequences_are_as_long_as_the_pack_says(name, sizes, size):
    model = tiny(name)
    if name == "Z-Image":
        sizes = tuple((height, width + width % 2) for height, width in sizes[:1])
    values = {"reference_latents": latents(model, sizes)} if sizes else {}
    tokens = 512 if name == "FLUX.2" else 6
    forward = Forward(size, tokens, (), sizes, ())

    lengths = recorded(model, text(1, 6, **values), size)

    assert len(lengths) >= 3
    assert_as_said(lengths, said(model, forward))


def test_zimage_with_texts_and_features_of_references():
    model = tiny_zimage()
    seen = SimpleNamespace(image_sizes=[(3, 64, 96)], last_hidden_state=torch.randn(1, 24, 16))
    contexts = [torch.randn(1, tokens, 128) for tokens in (5, 40, 3)]
    values = {
        "reference_latents": latents(model, ((6, 4), (8, 8))),
        "clip_vision_outputs": [seen, seen],
        "reference_latents_text_embeds": contexts,
    }
    forward = Forward((8, 8), 33, (), ((6, 4), (8, 8)), (), (5, 40, 3), (24, 24))

    assert_as_said(recorded(model, text(1, 33, **values), (8, 8)), said(model, forward))


def test_zimage_tells_stages_of_one_length_by_their_order():
    """A caption of 32 tokens and a picture of 16, filled up to 32: the length alone says nothing."""
    model = tiny_zimage(omni=False)
    stages = family_of(model).stages(model.model.diffusion_model, Forward((8, 8), 32, (), (), ()))

    assert [(total(stage.spans), stage.calls) for stage in stages] == [(32, 1), (32, 1), (64, None)]
    assert recorded(model, text(1, 32), (8, 8)) == [32, 32, 64, 64]
