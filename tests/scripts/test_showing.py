"""What is looked at in a workflow, and how it is drawn."""

import json

import pytest
from pack.scripts.bootstrap.errors import Refusal
from pack.scripts.showing.contact_sheet import COLOURS, MARGIN, PICTURE, Found, Shot, draw_sheet, face_crop, fitted
from pack.scripts.showing.run import shots_of
from pack.scripts.showing.scores import found_faces, read_scores, summary
from pack.scripts.showing.watched import watch
from pack.scripts.showing.workflow import read_workflow, to_prompt
from PIL import Image, ImageColor

PROMPT = {
    "1": {"class_type": "Troupe_DemoPhoto", "inputs": {"person": "Ada"}},
    "2": {"class_type": "Troupe_ExtractIdentity", "inputs": {"image": ["1", 0], "name": "Ada"}},
    "3": {"class_type": "VAEDecode", "inputs": {}},
    "4": {"class_type": "SaveImage", "inputs": {"images": ["3", 0]}},
    "5": {"class_type": "Troupe_ScoreCast", "inputs": {"images": ["3", 0]}},
}


def test_outputs_that_nobody_shows_get_a_preview_and_the_prompt_stays_as_it_was():
    before = json.dumps(PROMPT)

    watched = watch(PROMPT)

    assert json.dumps(PROMPT) == before
    assert watched.prompt[watched.references["Ada"]]["inputs"] == {"images": ["1", 0]}
    ((text, picture),) = watched.scored
    assert watched.prompt[text] == {
        "class_type": "PreviewAny",
        "inputs": {"source": ["5", 1]},
        "_meta": {"title": "Preview"},
    }
    assert (picture, watched.saved) == ("4", ["4"])
    assert len(watched.prompt) == len(PROMPT) + 2


def test_outputs_that_are_shown_already_are_used():
    shown = {
        **PROMPT,
        "6": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
        "7": {"class_type": "PreviewAny", "inputs": {"source": ["5", 1]}},
    }

    watched = watch(shown)

    assert watched.prompt == shown
    assert watched.references == {"Ada": "6"}
    assert watched.scored == [("7", "4")]


def test_a_workflow_without_any_node_of_the_pack_is_only_saved():
    watched = watch({"4": PROMPT["4"]})
    assert (watched.references, watched.scored, watched.saved) == ({}, [], ["4"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "no valid JSON"),
        ("[]", "neither a list of nodes"),
        ('{"a": 1}', "neither a list of nodes"),
        (None, "no workf"),
    ],
)
def test_a_file_that_is_no_workflow_is_refused(tmp_path, text, words):
    if text is not None:
        (tmp_path / "w.json").write_text(text)
    with pytest.raises(Refusal, match=words):
        read_workflow(tmp_path / "w.json")


def test_nodes_that_the_server_does_not_know_are_named():
    workflow = {"nodes": [{"type": "Nobodys_Node"}, {"type": "Note"}, {"type": "Muted_Node", "mode": 2}], "links": []}
    with pytest.raises(Refusal, match="does not have: Nobodys_Node. Install"):
        to_prompt(workflow, {"KSampler": {}})


def test_a_prompt_is_taken_as_it_is():
    assert to_prompt(PROMPT, {}) is PROMPT


def scored_picture():
    faces = [
        {"bbox": [70, 10, 100, 40], "name": "Ben", "similarity": 0.4, "right_place": False},
        {"bbox": [10, 10, 40, 40], "name": "Ada", "similarity": 0.8, "right_place": True},
        {"bbox": [-5, 90, 20, 130], "name": None, "similarity": None, "right_place": False},
    ]
    return {"faces": faces, "own": 0.6, "other": 0.1, "right_place": 0.5, "expected": 3, "missing": ["Cleo"]}


def test_scores_are_read_from_left_to_right_and_summed_up():
    scores = read_scores(json.dumps({"images": [scored_picture()]}))

    assert [face.name for face in found_faces(scores["images"][0])] == [None, "Ada", "Ben"]
    said = summary(scores["images"][0])
    for words in ("0.60", "0.10", "50%", "3 faces for 3 people"):
        assert words in " ".join(said)


def test_scores_of_a_list_of_runs_go_with_their_pictures():
    runs = [{"images": [{"faces": [], "own": own, "missing": ["Ada"]} for own in part]} for part in ([0.1, 0.2], [0.3])]
    pictures = [Image.new("RGB", (4, 4), colour) for colour in ("red", "green", "blue")]

    shots = shots_of(runs, pictures)

    assert [shot.picture for shot in shots] == pictures
    assert [shot.summary[0] for shot in shots] == ["own similarity 0.10", "own similarity 0.20", "own similarity 0.30"]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"images": [{}]}', '{"images": 3}'])
def test_something_else_than_scores_is_refused(text):
    with pytest.raises(Refusal, match="The score node put out"):
        read_scores(text)


def test_the_sheet_shows_the_picture_with_a_box_in_the_colour_of_each_person():
    picture = Image.new("RGB", (128, 128), "#404040")
    reference = Image.new("RGB", (64, 96), "#00ff00")
    faces = [Found((32, 32, 96, 96), "Ada", 0.9, True)]

    sheet = draw_sheet("Two people", [("Ada", reference)], [Shot(picture, faces, (), ["one line"])])

    colours = {colour: count for count, colour in sheet.getcolors(1 << 20)}
    assert colours[(0x40, 0x40, 0x40)] > PICTURE * PICTURE // 2
    assert colours[(0, 255, 0)] > 30_000
    assert colours[ImageColor.getrgb(COLOURS[0])] > 4 * PICTURE // 2


@pytest.mark.parametrize("people", [0, 1, 2, 3, 8])
@pytest.mark.parametrize("size", [(128, 128), (64, 160), (333, 100)])
def test_a_sheet_of_any_size_keeps_everything_inside(people, size):
    references = [
        (f"Person {i} with a very long name indeed", Image.new("RGB", (64, 64), "red")) for i in range(people)
    ]
    faces = [Found((i * 5, 5, i * 5 + 40, 60), name, 0.5) for i, (name, _) in enumerate(references)]
    shot = Shot(Image.new("RGB", size, "blue"), faces, ["Somebody"], ["a long line " * 5] * 7 + ["an endless one" * 30])

    sheet = draw_sheet("A title", references, [shot, shot])

    assert sheet.height > 2 * fitted(shot.picture, PICTURE)[1]
    border = Image.new("RGB", sheet.size, "white")
    border.paste(sheet)
    paper = sheet.getpixel((0, 0))
    edges = [sheet.crop((0, 0, MARGIN - 1, sheet.height)), sheet.crop((0, sheet.height - MARGIN + 1, *sheet.size))]
    edges.append(sheet.crop((sheet.width - MARGIN + 1, 0, *sheet.size)))
    assert all(edge.getcolors() == [(edge.width * edge.height, paper)] for edge in edges)


@pytest.mark.parametrize("bbox", [(-20, -20, 30, 30), (100, 100, 190, 190), (0, 0, 128, 128), (50, 50, 50, 50)])
def test_a_face_at_the_border_is_cropped_inside_the_picture(bbox):
    assert face_crop(Image.new("RGB", (128, 128), "blue"), bbox).getcolors() == [(256 * 256, (0, 0, 255))]
