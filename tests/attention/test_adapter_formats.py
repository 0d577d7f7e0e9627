"""Every published adapter file is known by its keys and shapes, at full size and whatever it is called."""

import pytest
import torch
from pack.attention.adapters.formats import FORMATS, candidates
from pack.attention.adapters.parts import AdapterFormatError
from pack.attention.adapters.weights import describe, read_adapter
from pack.scripts.benches.engine.adapter_files import PUBLISHED, SD15_WIDTHS, SDXL_WIDTHS, nested, on_meta


@pytest.mark.parametrize("layout", [dict, nested])
@pytest.mark.parametrize("name", PUBLISHED)
def test_published_files_are_read_as_what_they_are(name, layout):
    file = PUBLISHED[name]

    weights = read_adapter(layout(on_meta(file.shapes())))

    spec = weights.spec
    assert (spec.kind, spec.tokens, spec.cross_width) == (file.kind, file.tokens, file.cross)
    assert spec.layer_widths == tuple(file.widths)
    assert spec.lora == file.lora
    assert len(weights.lora) == (8 * len(file.widths) if file.lora else 0)
    assert bool(spec.embedding_width) == bool(FORMATS[file.kind].face)
    assert bool(spec.vision_width) == bool(FORMATS[file.kind].vision)


def test_the_published_layouts_have_the_layers_of_the_models():
    assert (len(SD15_WIDTHS), sum(SD15_WIDTHS)) == (16, 12480)
    assert (len(SDXL_WIDTHS), sum(SDXL_WIDTHS)) == (70, 83200)


@pytest.mark.parametrize(
    ("name", "override"),
    [
        ("ip-adapter-faceid-plus_sd15", "faceid plus"),
        ("ip-adapter-faceid-plusv2_sd15", "faceid plus v2"),
        ("ip-adapter-faceid-portrait_sdxl_unnorm", "faceid portrait unnorm"),
        ("ip-adapter-faceid-portrait_sdxl_unnorm", "instantid"),
    ],
)
def test_what_looks_alike_is_decided_by_the_user(name, override):
    state = on_meta(PUBLISHED[name].shapes())

    assert read_adapter(state, override).spec.kind == override
    automatic = read_adapter(state)
    other = next(kind for kind in candidates(nested(state)["image_proj"]) if kind != automatic.spec.kind)
    assert f"keys and shapes are also those of {other}" in describe(automatic.spec, automatic.reason)


def test_the_report_says_what_was_chosen_why_and_what_it_needs():
    weights = read_adapter(on_meta(PUBLISHED["ip-adapter-faceid-plusv2_sdxl"].shapes()))

    report = describe(weights.spec, weights.reason)

    assert report.startswith("Read as faceid plus v2 (4 tokens of width 2048, 70 layers, with a LoRA), because ")
    assert "set 'format' if it is one of them" in report
    assert report.endswith("It reads face embeddings of buffalo_l and a CLIP vision encoder.")


@pytest.mark.parametrize("override", [kind for kind in FORMATS if not kind.startswith("faceid plus")])
def test_a_format_that_the_shapes_rule_out_is_refused(override):
    with pytest.raises(AdapterFormatError, match=f"faceid plus v2 or faceid plus, but '{override}' was chosen"):
        read_adapter(on_meta(PUBLISHED["ip-adapter-faceid-plus_sd15"].shapes()), override)


@pytest.mark.parametrize(
    ("key", "shape", "look"),
    [
        ("proj.0.weight", (2304, 1152), "InstantX' IP-Adapter for FLUX"),
        ("strange", (1,), r"an unknown kind of IP-Adapter \(its image_proj holds strange\)"),
    ],
)
def test_other_adapters_in_the_same_container_are_named(key, shape, look):
    state = {f"image_proj.{key}": torch.zeros(shape)}
    state |= {f"ip_adapter.1.to_{which}_ip.weight": torch.zeros(4, 4) for which in "kv"}

    with pytest.raises(AdapterFormatError, match=f"it looks like {look}, which this version does not read"):
        read_adapter(state)
