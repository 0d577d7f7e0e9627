"""Sheets of labelled pictures, heat maps, and letters of any script."""

import numpy as np
import pytest
from pack.measure.grid import INK, PAPER, Cell, columns_for, draw_grid, in_rows
from pack.measure.heat_map import heat_map
from pack.measure.lettering import families_for, font_for, shortened

RED, BLUE = (np.full((8, 8, 3), colour, np.uint8) for colour in ([255, 0, 0], [0, 0, 255]))
NAMES = ["Ada", "Борис", "陈晨", "محمد", "🙂", "a\nb", "$x$ {1}", "W" * 60]


def test_every_picture_is_on_the_sheet_with_its_label_above():
    sheet = draw_grid([[Cell(RED, "red"), Cell(BLUE, "blue", ["own 0.50"])]], side=96)

    red, blue = ((sheet == colour).all(-1) for colour in ([255, 0, 0], [0, 0, 255]))
    assert red.sum() == blue.sum() == 96 * 96
    assert np.flatnonzero(red.any(0)).max() < np.flatnonzero(blue.any(0)).min()
    above = sheet[: np.flatnonzero(red.any(1)).min()]
    assert (above == INK).all(-1).any()
    assert (sheet[-1] == PAPER).all()


def test_pictures_of_any_proportions_keep_theirs():
    wide = np.full((10, 40, 3), [0, 255, 0], np.uint8)

    sheet = draw_grid([[Cell(wide), Cell(RED)]], side=80)

    green = (sheet == [0, 255, 0]).all(-1)
    assert green.any(1).sum() == 20
    assert green.any(0).sum() == 80


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (2, 2), (3, 3), (4, 2), (6, 3), (7, 4), (8, 4), (9, 3)])
def test_the_number_of_columns_suits_the_number_of_pictures(count, columns):
    assert columns_for(count) == columns
    assert [len(row) for row in in_rows([Cell(RED)] * 7, 3)] == [3, 3, 1]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_any_script_are_drawn_and_never_crash(name):
    plain = draw_grid([[Cell(RED)]], side=64)
    named = draw_grid([[Cell(RED, name, [name])]], side=64, title=name, portraits=[Cell(BLUE, name)])

    assert named.shape[0] > plain.shape[0]
    assert font_for(shortened(name, 60, 12), 12).getlength(shortened(name, 60, 12)) <= 60


def test_letters_of_other_scripts_are_letters_where_a_font_has_them():
    assert families_for("Ada Борис") == ["DejaVu Sans"]
    assert not np.array_equal(np.array(font_for("Б", 40).getmask("Б")), np.array(font_for("Д", 40).getmask("Д")))


def test_a_sheet_that_no_viewer_opens_is_refused():
    with pytest.raises(ValueError, match=r"21\d\d\dx\d+ pixels. Choose a smaller size"):
        draw_grid([[Cell(RED)] * 10], side=2048)
    with pytest.raises(ValueError, match="no picture"):
        draw_grid([[]], side=64)


@pytest.mark.parametrize(("faces", "members"), [(0, 1), (1, 1), (8, 8), (3, 8), (12, 2)])
def test_heat_maps_of_a_batch_are_of_one_size_and_every_value_has_its_colour(faces, members):
    similarity = np.linspace(0, 1, faces * members).reshape(faces, members)
    matched = np.array([face if face < faces else -1 for face in range(members)])

    plain = heat_map(similarity, matched, NAMES[:members], "picture 1", rows=12)

    assert plain.dtype == np.uint8
    assert plain.shape == heat_map(similarity[:0], np.full(members, -1), ["x"] * members, rows=12).shape
    if faces * members > 1:
        np.testing.assert_allclose((plain == [253, 231, 36]).all(-1).any(), True)  # viridis at 1
        np.testing.assert_allclose((plain == [68, 1, 84]).all(-1).any(), True)  # and at 0


def test_the_face_of_a_member_is_framed():
    framed, plain = (heat_map(np.array([[0.5]]), np.array([face]), ["Ada"]) for face in (0, -1))
    frame = (framed == [213, 94, 0]).all(-1)

    assert frame.sum() > 100
    assert not (plain == [213, 94, 0]).all(-1).any()
