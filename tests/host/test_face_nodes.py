"""Load Face Engine, Extract Identity and Score Cast in the real host, on a pack that takes red squares for faces."""

import io
import json
import re

import folder_paths
import onnxruntime
import pytest
import torch
from pack.attention.recipes.cast import Member
from pack.attention.regions.region import Region
from pack.demo.people_by_name import NAMES
from pack.face.providers import PROVIDERS
from pack.nodes.faces.face_nodes import ExtractIdentity, LoadFaceEngine
from pack.nodes.host.faces.face_packs import NO_PACK
from pack.nodes.host.images import to_images
from pack.nodes.scores.score_nodes import ScoreCast
from pack.scripts.hosting.client import PromptRefused, error_of
from pack.tests.face.onnx_packs import red_squares, write_recogniser, write_square_detector
from PIL import Image


@pytest.fixture
def insightface(tmp_path, monkeypatch):
    """An empty insightface folder in place of all the host knows; what is put into it is all there is."""
    monkeypatch.setitem(folder_paths.folder_names_and_paths, "insightface", ([str(tmp_path)], set()))
    monkeypatch.setattr("pack.nodes.host.model_folders.register_model_folders", lambda: None)
    return tmp_path


@pytest.fixture
def packs(insightface):
    for name, seed in (("squares", 0), ("judge", 5)):
        write_square_detector(insightface / "models" / name / "det.onnx", lenient=True)
        write_recogniser(insightface / "models" / name / "rec.onnx", seed=seed)
    return insightface


def run(node, **inputs):
    with torch.inference_mode():
        return node.execute(**inputs)


def photo(*squares, size=256, seed=0):
    return to_images([red_squares(size, size, *squares, seed=seed)])


def identity(engine, name, seed, *places):
    """A person with a pattern of their own; one photo for each place."""
    photos = torch.cat([photo((*place, 32), seed=seed) for place in places])
    return run(ExtractIdentity, engine=engine, image=photos, name=name, select="largest").result[0]


@pytest.mark.parametrize(
    ("node", "inputs", "outputs"),
    [
        (LoadFaceEngine, "pack provider library cache", "TROUPE_FACE_ENGINE"),
        (
            ExtractIdentity,
            "engine image name select like place index x y no_face threshold ladder damaged",
            "TROUPE_IDENTITY IMAGE STRING",
        ),
        (
            ScoreCast,
            "engine images cast target people clip_vision clip prompts",
            "FLOAT STRING IMAGE IMAGE FLOAT",
        ),
    ],
)
def test_ids_and_order_are_what_saved_workflows_rely_on(node, inputs, outputs):
    schema = node.GET_SCHEMA()

    assert schema.node_id == f"Troupe_{node.__name__}"
    assert [entry.id for entry in schema.inputs] == inputs.split()
    assert [entry.io_type for entry in schema.outputs] == outputs.split()
    assert all(entry.tooltip for entry in schema.inputs)
    assert all(entry.display_name for entry in schema.outputs)


def test_the_combo_lists_packs_by_name(packs):
    (options,) = [entry.options for entry in LoadFaceEngine.define_schema().inputs if entry.id == "pack"]

    assert options == ["judge", "squares"]
    engine = run(LoadFaceEngine, pack="squares", provider="auto").result[0]
    assert engine.name == "squares"
    assert engine.provider.endswith("ExecutionProvider")


def test_an_empty_folder_is_explained_in_the_combo_and_when_run(insightface):
    (options,) = [entry.options for entry in LoadFaceEngine.define_schema().inputs if entry.id == "pack"]

    assert options == [NO_PACK]
    with pytest.raises(ValueError, match=re.escape(str(insightface / "models" / "buffalo_l"))) as caught:
        run(LoadFaceEngine, pack=NO_PACK, provider="auto")
    assert "w600k_r50.onnx" in str(caught.value)


def test_a_pack_that_is_gone_is_named_beside_those_there_are(packs):
    with pytest.raises(ValueError, match=r"no face pack 'antelopev2' .*found: judge, squares"):
        run(LoadFaceEngine, pack="antelopev2", provider="CPU")


def test_a_provider_that_is_missing_is_an_error_not_a_slow_run(packs):
    available = onnxruntime.get_available_providers()
    missing = next(choice for choice, names in PROVIDERS.items() if not set(names) & set(available))

    with pytest.raises(RuntimeError, match=rf"asked to run on {missing}.*offers only"):
        run(LoadFaceEngine, pack="squares", provider=missing)


def test_a_batch_is_several_photos_of_one_person_with_a_preview_of_each(packs):
    engine = run(LoadFaceEngine, pack="squares", provider="CPU").result[0]
    photos = torch.cat([photo((32, 32, 32), (160, 160, 32)), photo((96, 96, 32))])
    photos[:, -1, ::2] = 1.0  # ground below the faces that is not one colour
    before = photos.clone()

    ada, preview, report = run(ExtractIdentity, engine=engine, image=photos, name="Ada", select="rightmost").result

    assert ada.name == "Ada"
    assert ada.embeddings[engine.recogniser].shape == (2, 512)
    assert ada.boxes[0][0] > 150
    assert preview.shape == (2, 512, 512, 3)
    assert preview.dtype == torch.float32
    assert torch.equal(photos, before)
    assert report.splitlines()[0] == ("Photo 1 of 2 (256x256 pixels): 2 faces at 256x256; took face 1, score 1.00.")


def test_a_photo_without_a_face_is_named(packs):
    engine = run(LoadFaceEngine, pack="squares", provider="CPU").result[0]
    photos = torch.cat([photo((96, 96, 32)), torch.zeros(1, 256, 256, 3)])

    with pytest.raises(ValueError, match=r"photo 2 of 2 of 'Ada' \(256x256 pixels\).*Use a photo"):
        run(ExtractIdentity, engine=engine, image=photos, name="Ada", select="largest")


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_grey_and_transparent_pictures_are_read(packs, channels):
    engine = run(LoadFaceEngine, pack="squares", provider="CPU").result[0]
    plain = photo((96, 96, 32))
    if channels == 4:
        image = torch.cat([plain, torch.ones(1, 256, 256, 1)], -1)
        assert len(run(ExtractIdentity, engine=engine, image=image, name="A", select="largest").result[0].crops) == 1
        return
    with pytest.raises(ValueError, match="No face was found"):  # a grey square is no red one, but nothing breaks
        run(ExtractIdentity, engine=engine, image=plain[..., :channels], name="A", select="largest")


def test_the_right_people_in_their_places_score_high(packs):
    engine = run(LoadFaceEngine, pack="squares", provider="CPU").result[0]
    judge = run(LoadFaceEngine, pack="judge", provider="CPU").result[0]
    ada, bea = identity(engine, "Ada", 1, (96, 96), (32, 160)), identity(engine, "Bea", 2, (64, 32))
    left, right = Region("left", width=0.5), Region("right", shape="ellipse", x=0.5, width=0.5)
    cast = (Member(ada, left), Member(bea, right))
    good = photo((64, 96, 32), seed=1) + photo((176, 96, 32), seed=2)
    swapped = photo((64, 96, 32), seed=2) + photo((176, 96, 32), seed=1)
    alone = photo((64, 96, 32), seed=1)
    pictures = torch.cat([good, swapped, alone, torch.zeros_like(good)])

    for scorer in (engine, judge):
        output = run(ScoreCast, engine=scorer, images=pictures, cast=cast)
        likeness, text, marked, *_ = output.result
        scores = json.loads(text)

        assert likeness == scores["own"]
        assert scores["recogniser"] == scorer.recogniser
        assert marked.shape == (4, 512, 512, 3)
        first, second, third, fourth = scores["images"]
        assert first["own"] > 0.9 > 0.5 > first["other"]
        assert [picture["right_place"] for picture in scores["images"]] == [1, 0, 0.5, 0]
        assert second["own"] > 0.9
        assert third["own"] == pytest.approx(first["own"] / 2, abs=0.1)
        assert third["missing"] == ["Bea"]
        assert (fourth["own"], fourth["faces"]) == (0, [])
        assert scores["count_right"] == 0.5
        assert [face["name"] for face in sorted(first["faces"], key=lambda face: face["bbox"])] == ["Ada", "Bea"]


def test_scores_hold_no_embedding_and_an_identity_prints_as_its_name(packs):
    engine = run(LoadFaceEngine, pack="squares", provider="CPU").result[0]
    ada = identity(engine, "Ada", 1, (96, 96))

    text = run(ScoreCast, engine=engine, images=photo((96, 96, 32), seed=1), cast=(Member(ada, Region("r")),)).result[1]

    numbers = re.findall(r"-?\d+\.\d+", text)
    assert len(numbers) < 50
    assert str(ada) == "Identity(name='Ada')"


def test_an_empty_cast_is_refused(packs):
    engine = run(LoadFaceEngine, pack="squares", provider="CPU").result[0]

    with pytest.raises(ValueError, match=r"cast is empty.*Cast Member"):
        run(ScoreCast, engine=engine, images=photo((96, 96, 32)), cast=())


def extraction(image):
    """An API prompt: load the demo's pack, extract from what the node `image` gives, save the preview."""
    return {
        "1": {"class_type": "Troupe_LoadFaceEngine", "inputs": {"pack": "troupe-demo", "provider": "CPU"}},
        "2": image,
        "3": {
            "class_type": "Troupe_ExtractIdentity",
            "inputs": {"engine": ["1", 0], "image": ["2", 0], "name": "Ada", "select": "largest"},
        },
        "4": {"class_type": "SaveImage", "inputs": {"images": ["3", 1], "filename_prefix": "found"}},
    }


EMPTY = {"class_type": "EmptyImage", "inputs": {"width": 96, "height": 64, "batch_size": 1, "color": 0x6080A0}}


def test_the_server_extracts_a_demo_person_and_previews_the_face(server):
    person = {"class_type": "Troupe_DemoPhoto", "inputs": {"person": NAMES[0]}}

    entry = server.post_prompt(extraction(person))

    assert Image.open(io.BytesIO(server.images(entry, "4")[0])).size == (512, 512)


def test_a_photo_without_a_face_is_one_clear_error_and_the_server_lives_on(server):
    entry = server.client.wait(server.client.submit(extraction(EMPTY)), 300)

    error = error_of(entry)
    assert error.startswith("Troupe_ExtractIdentity: No face was found in the photo of 'Ada' (96x64 pixels).")
    assert "troupe-demo" in error
    assert server.alive()
    assert "embedding" not in str(entry["status"])


def test_a_pack_that_is_not_installed_is_refused_beside_those_that_are(server):
    prompt = extraction(EMPTY)
    prompt["1"]["inputs"]["pack"] = "buffalo_l"

    with pytest.raises(PromptRefused, match="troupe-demo"):
        server.post_prompt(prompt)
