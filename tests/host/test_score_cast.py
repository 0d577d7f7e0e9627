"""Score Cast with everything that may be connected to it, on an engine that takes red squares for faces."""

import json

import numpy as np
import pytest
import torch
from pack.attention.recipes.cast import Member, NoIdentity
from pack.attention.regions.region import Region
from pack.face.extraction import extract_identity
from pack.face.onnx_engine import load_engine
from pack.face.pack import read_pack
from pack.measure.prompt_margin import prompt_margins
from pack.nodes.host.demo_text import load_text_encoder
from pack.nodes.host.demo_world import weights_file
from pack.nodes.host.images import to_images
from pack.nodes.host.scores.prompt_judge import squared
from pack.nodes.scores import score_plots
from pack.nodes.scores.score_nodes import ScoreCast
from pack.tests.face.onnx_packs import red_squares, write_recogniser, write_square_detector
from pack.tests.host.tiny_adapters import tiny_vision
from safetensors.torch import load_file

HALVES = Region("left", width=0.5), Region("right", x=0.5, width=0.5)


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    folder = tmp_path_factory.mktemp("squares")
    write_square_detector(folder / "det.onnx", lenient=True)
    write_recogniser(folder / "rec.onnx")
    return load_engine(read_pack("squares", folder), "CPU")


@pytest.fixture(scope="module")
def clip():
    """The demo's text model, whose projection is 128 wide."""
    return load_text_encoder(load_file(weights_file("text_encoder.safetensors")))


def person(engine, name, seed, *places):
    pictures = [red_squares(256, 256, (*place, 32), seed=seed) for place in places]
    return extract_identity(engine, pictures, name).identity


@pytest.fixture(scope="module")
def cast(engine):
    """Ada on the left, Bea on the right; the prompts carry text embeddings as SDXL's do."""
    people = person(engine, "Ada", 1, (96, 96)), person(engine, "Bea", 2, (64, 32))
    rows = torch.randn(2, 1, 1280, generator=torch.Generator().manual_seed(3))
    prompts = [[[torch.zeros(1, 77, 8), {"pooled_output": row}]] for row in rows]
    return tuple(
        Member(who, region, prompt=prompt) for who, region, prompt in zip(people, HALVES, prompts, strict=True)
    )


def drawn(first=1, second=2):
    """A picture with a face on each side."""
    return to_images(
        [red_squares(256, 256, (64, 96, 32), seed=first) | red_squares(256, 256, (176, 96, 32), seed=second)]
    )


def scored(engine, images, cast, **more):
    with torch.inference_mode():
        likeness, text, marked, plot, overall = ScoreCast.execute(engine=engine, images=images, cast=cast, **more).args
    return json.loads(text), likeness, marked, plot, overall


def test_every_figure_is_there_and_what_is_missing_has_a_word(engine, cast):
    scores, likeness, marked, plot, overall = scored(engine, torch.cat([drawn(), drawn(2, 1)]), cast)
    assert likeness == scores["own"]

    good, swapped = scores["images"]
    assert good["overall"] == pytest.approx(good["own"], abs=1e-3)
    assert (swapped["overall"], swapped["right_place"]) == (0, 0)
    assert overall == scores["overall"] == pytest.approx((good["overall"] + swapped["overall"]) / 2, abs=1e-3)
    assert good["multi_sim"] == pytest.approx(swapped["multi_sim"], abs=0.2)
    assert (good["face_sim"], good["id_conf"]) > (0.8, 0.3)
    assert set(good["members"]) == {"Ada", "Bea"}
    assert (len(marked), len(plot)) == (2, 2)
    assert len(scores["left_out"]) == 3
    assert not {"copy_paste", "layout_iou", "prompt_margin"} & set(scores)


def test_a_picture_of_the_references_is_a_copy_and_one_of_the_target_is_not(engine, cast):
    targets = drawn(3, 4)
    as_references, *_ = scored(engine, drawn(), cast, target=targets)
    as_target, *_ = scored(engine, drawn(3, 4), cast, target=targets)

    assert as_references["copy_paste"] > 0.5
    assert as_target["copy_paste"] == pytest.approx(-1, abs=0.02)
    assert as_target["sim_target"] == pytest.approx(1, abs=1e-3)
    assert as_target["blending"] < 0.9
    assert [line for line in as_target["left_out"] if "target" in line] == []


def test_targets_are_one_or_one_for_each_and_show_faces(engine, cast):
    three = torch.cat([drawn()] * 3)

    assert len(scored(engine, three, cast, target=drawn())[0]["images"]) == 3
    with pytest.raises(ValueError, match="2 targets for 3 pictures"):
        scored(engine, three, cast, target=torch.cat([drawn()] * 2))
    with pytest.raises(ValueError, match=r"no face was found in target 1 of 1 \(256x256"):
        scored(engine, three, cast, target=torch.zeros(1, 256, 256, 3))


def test_boxes_of_people_tell_how_regions_are_filled(engine, cast):
    left = {"x": 0, "y": 0, "width": 128, "height": 256, "label": "person", "score": 0.9}
    half = {"x": 128, "y": 0, "width": 128, "height": 128}
    dog = {"x": 128, "y": 0, "width": 128, "height": 256, "label": "dog"}

    scores, *_ = scored(engine, torch.cat([drawn(), drawn()]), cast, people=[[left, half, dog], []])

    assert [picture["layout_iou"] for picture in scores["images"]] == [0.75, 0]
    assert scores["images"][0]["members"]["Bea"]["layout_iou"] == 0.5


def test_members_own_prompts_are_compared_with_their_parts_of_the_picture(engine, cast):
    vision = tiny_vision(embedding=1280)
    picture = red_squares(256, 256, (64, 96, 32), seed=1)

    scores, *_ = scored(engine, to_images([picture]), cast, clip_vision=vision)

    parts = [to_images([squared(picture[:, at : at + 128], vision.image_mean)]) for at in (0, 128)]
    with torch.inference_mode():
        seen = torch.cat([vision.encode_image(part)["image_embeds"] for part in parts]).double()
    words = torch.cat([member.prompt[0][1]["pooled_output"] for member in cast]).double()
    cosines = torch.cosine_similarity(seen[:, None], words[None], dim=-1)
    expected = prompt_margins(cosines.numpy())
    found = [scores["images"][0]["members"][name]["prompt_margin"] for name in ("Ada", "Bea")]
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert scores["prompt_margin"] == pytest.approx(np.mean(expected), abs=1e-4)


def test_words_go_through_the_text_half_and_its_projection(engine, cast, clip):
    vision = tiny_vision(embedding=128)
    told = "Bea: blue, sad\nAda: red, smiling"

    scores, *_ = scored(engine, drawn(), cast, clip_vision=vision, clip=clip, prompts=told)
    other, *_ = scored(
        engine, drawn(), cast, clip_vision=vision, clip=clip, prompts="Ada: blue, sad\nBea: red, smiling"
    )

    ada, swapped = (result["images"][0]["members"]["Ada"]["prompt_margin"] for result in (scores, other))
    assert ada == pytest.approx(-swapped, abs=1e-4)
    assert abs(ada) > 1e-3


def test_halves_of_two_clip_models_are_refused(engine, cast, clip):
    vision = tiny_vision(embedding=768)

    with pytest.raises(ValueError, match=r"embeddings of 1280 numbers.*vision model embeds pictures as 768"):
        scored(engine, drawn(), cast, clip_vision=vision)
    with pytest.raises(ValueError, match=r"as 768 numbers, and the text projections of 'clip' have 128"):
        scored(engine, drawn(), cast, clip_vision=vision, clip=clip, prompts="Ada: red\nBea: blue")
    with pytest.raises(ValueError, match="Connect its text half to 'clip'"):
        scored(engine, drawn(), cast, clip_vision=vision, prompts="Ada: red\nBea: blue")


def test_a_text_model_without_its_projection_is_refused(engine, cast):
    bare = load_text_encoder(load_file(weights_file("text_encoder.safetensors")))
    for part in bare.cond_stage_model.modules():
        if hasattr(part, "text_projection"):
            part.text_projection.weight.data.zero_()

    with pytest.raises(ValueError, match="came without its text projection"):
        scored(engine, drawn(), cast, clip_vision=tiny_vision(embedding=128), clip=bare, prompts="Ada: red\nBea: blue")


def test_one_prompt_alone_is_left_out_with_a_word(engine, cast, clip):
    scores, *_ = scored(engine, drawn(), cast, clip_vision=tiny_vision(embedding=128), clip=clip, prompts="Ada: red")

    assert "prompt_margin" not in scores["images"][0]
    assert any("fewer than two members" in line for line in scores["left_out"])


def test_without_matplotlib_everything_else_is_scored(engine, cast, monkeypatch):
    def missing(*_):
        raise ImportError("no matplotlib")

    monkeypatch.setattr(score_plots, "heat_map", missing)

    scores, _, marked, plot, _ = scored(engine, torch.cat([drawn(), drawn()]), cast)

    assert scores["own"] > 0.8
    assert len(marked) == len(plot) == 2


def test_the_node_shows_one_line_and_boards_are_told_faces_in_fractions(engine, cast):
    words = Member(NoIdentity("a dog"), Region("dog", y=0.9, height=0.1), strength=0.0)
    one = torch.cat([drawn()[:, :, :128], torch.zeros(1, 256, 128, 3)], 2)

    shown = ScoreCast.execute(engine, one, (words, *cast)).ui

    ada, bea = shown["troupe_scores"][0]["members"]
    assert (ada["name"], ada["region"], ada["right_place"], bea["face"]) == ("Ada", "left", True, None)
    assert ada["face"] == pytest.approx([64 / 256, 96 / 256, 96 / 256, 128 / 256], abs=0.03)
    assert shown["troupe_line"] == [f"1 of 2 in the right place. Ada {ada['own']:.2f}, Bea missing."]
    assert len(shown["images"]) == 1
    assert shown["troupe_scores"][0]["picture"]["filename"] != shown["images"][0]["filename"]

    both = ScoreCast.execute(engine, torch.cat([drawn(), one]), cast).ui
    assert both["troupe_line"][0].startswith("2 pictures: 75% in the right place. Ada ")
    assert len(both["troupe_scores"]) == 2
