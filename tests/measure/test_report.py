"""Scores as JSON, and marks on pictures."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pack.measure.annotate import Mark, annotate, border, free_place
from pack.measure.figures import FIGURES, identity_figures, mean_figures, with_members, with_whole
from pack.measure.likeness import score_picture
from pack.measure.report import as_text, distinct, report

REGIONS = np.zeros((2, 10, 20), bool)
REGIONS[0, :, :10] = REGIONS[1, :, 10:] = True
BOXES = np.array([[2, 2, 6, 6], [12, 2, 16, 6], [0, 0, 3, 3]], np.float32)


def figures(similarity, boxes):
    score = score_picture(np.reshape(similarity, (-1, 2)), boxes, REGIONS)
    return identity_figures(score, np.eye(score.count), np.eye(2))


def test_a_report_is_plain_json_with_every_figure_and_no_embedding():
    full = with_members(figures([[0.8, 0.1], [0.0, 0.6], [-0.2, 0.1]], BOXES), "layout_iou", np.array([0.5, np.nan]))
    empty = with_members(figures([], BOXES[:0]), "layout_iou", np.full(2, np.nan))

    result = json.loads(
        json.dumps(report([full, empty], [BOXES, BOXES[:0]], [[0.9, 0.8, 0.7], []], ["Ada", "Bea"], "r1", ["no x"]))
    )

    assert (result["recogniser"], result["left_out"]) == ("r1", ["no x"])
    assert (result["own"], result["other"], result["right_place"], result["count_right"]) == (0.35, 0.05, 0.5, 0.0)
    assert (result["multi_sim"], result["sim_ref"], result["layout_iou"]) == (0.85, 0.7, 0.5)
    first, second = result["images"]
    assert first["faces"][0] == {
        "bbox": [2.0, 2.0, 6.0, 6.0],
        "name": "Ada",
        "similarity": 0.8,
        "score": 0.9,
        "similarities": {"Ada": 0.8, "Bea": 0.1},
        "right_place": True,
    }
    assert (first["faces"][2]["name"], first["faces"][2]["similarity"]) == (None, None)
    assert (first["count"], first["expected"], first["missing"]) == (3, 2, [])
    assert (first["own"], first["other"], first["right_place"]) == (0.7, 0.05, 1.0)
    assert first["overall"] == round(0.7 * 2 / 3, 4)
    assert first["members"]["Ada"] == {"own": 0.8, "right_place": 1.0, "id_conf": 1.0, "layout_iou": 0.5}
    assert first["members"]["Bea"]["layout_iou"] is None
    assert (second["faces"], second["missing"], second["count"]) == ([], ["Ada", "Bea"], 0)
    assert (second["own"], second["overall"], second["face_sim"], second["multi_sim"]) == (0, 0, 0, 0)
    assert second["other"] is second["sim_ref"] is second["mixing"] is second["layout_iou"] is None


def test_every_figure_has_its_words_and_its_mean():
    one = with_whole(figures([[0.8, 0.1]], BOXES[:1]), "blending", None)

    assert set(one.whole) <= set(FIGURES)
    assert mean_figures([one, with_whole(one, "blending", 0.2)])["blending"] == 0.2
    assert mean_figures([one])["blending"] is None
    with pytest.raises(ValueError, match="no picture"):
        mean_figures([])


def test_a_report_reads_well_and_is_the_same_data():
    result = {
        "images": [{"faces": [{"bbox": [1.5, -2.0, 3.0, 4.0], "name": "Ada [1,  2]\n"}], "missing": []}],
        "own": 0.5,
    }

    text = as_text(result)

    assert json.loads(text) == result
    assert '"bbox": [1.5, -2.0, 3.0, 4.0]' in text


def test_equal_names_are_told_apart():
    assert distinct(["Ada", "Bea", "Ada", "Ada"]) == ["Ada", "Bea", "Ada (2)", "Ada (3)"]


@pytest.mark.parametrize(
    ("shape", "expected"), [((128, 128), (512, 512)), ((100, 300), (600, 1800)), ((1024, 700), (1024, 700))]
)
def test_small_pictures_are_enlarged_before_they_are_marked(shape, expected):
    picture = np.zeros((*shape, 3), np.uint8)

    marked = annotate(picture, [Mark([10, 10, 40, 40], "Ada 0.71", (255, 0, 0))])

    assert marked.shape == (*expected, 3)
    assert marked.dtype == np.uint8
    assert not picture.any()
    factor = expected[0] // shape[0]
    assert marked[25 * factor, 10 * factor].tolist() == [255, 0, 0]


def test_marks_beyond_the_border_still_have_their_label_in_the_picture():
    marked = annotate(np.zeros((512, 512, 3), np.uint8), [Mark([-40, -60, 90, 80], "Ada", (255, 0, 0))])

    assert (marked[:8, :8] == [255, 0, 0]).all(-1).any()


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(-50, 450), st.integers(-50, 450)), max_size=8))
def test_labels_stay_in_the_picture_and_do_not_cover_each_other(corners):
    labels = []
    for x, y in corners:
        place = free_place((x, y, x + 60, y + 60), (90, 20), (512, 512), labels, [])
        assert 0 <= place[0] < place[2] <= 512
        assert 0 <= place[1] < place[3] <= 512
        labels.append(place)
    high = [label for label in labels if label[1] < 350]  # at the bottom a full column may run out of room
    assert not any(
        a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3] for a in high for b in high if a is not b
    )


def test_a_label_leaves_the_neighbours_face_free_if_it_can():
    box, above = (100, 100, 160, 160), (90, 60, 170, 98)

    assert free_place(box, (60, 20), (512, 512), [], []) == (100, 80, 160, 100)
    assert free_place(box, (60, 20), (512, 512), [], [above]) == (100, 160, 160, 180)


def test_a_rim_is_where_a_region_meets_another_pixel_not_the_picture_edge():
    region = np.zeros((5, 6), bool)
    region[:, :3] = True

    assert np.argwhere(border(region)).tolist() == [[row, 2] for row in range(5)]
    assert not border(np.ones((4, 4), bool)).any()
    assert not border(np.zeros((4, 4), bool)).any()
