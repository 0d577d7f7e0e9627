"""The made parts of the offline world's page: they replace themselves alone, and say what the bench said."""

import numpy as np
import pytest
from pack.scripts.bootstrap.errors import Refusal
from pack.scripts.figures.machine import machine
from pack.scripts.showing.sample_sheets import SIDE, Card, draw_sheet, font, wrap, write_sheet
from pack.scripts.showing.world_page import STRENGTH_ROWS, figures_text, read_figures, samples_text, strengths_in

ROW = {"name": "a row", "unit": "", "value": 0.5, "low": 0.25, "high": 0.75, "samples": 9, "bound": 0.4}
ROW |= {"at_most": False, "verdict": "undecided"}


def test_the_table_shows_every_row_with_data_steps_hardware_and_command():
    unmeasured = {**ROW, "name": "nothing", "value": None, "low": None, "high": None, "bound": None}
    result = {"bench": "world", "quick": True, "rows": [ROW, unmeasured], "machine": machine(), "seconds": 120.0}

    text = figures_text(result, {"form": "128", "size": 128, "steps": {"reader": 2000}}, "9 scenes", "3 hours")

    assert "| a row | 0.5 | 0.25 to 0.75 | 9 | at least 0.4 | undecided |" in text
    assert "| nothing | none | none to none | 9 |  | undecided |" in text
    for fact in ("9 scenes", "reader 2,000", "3 hours", "bench.py world --quick", "2 minutes", machine()["processor"]):
        assert fact in text


def test_modes_are_compared_in_one_table_per_figure():
    names = ["modes: gated, 2, right place", "modes: gated, 1, right place", "modes: unpatched, 2, right place"]
    rows = [ROW, *({**ROW, "name": name, "bound": None} for name in names)]
    strength = {**ROW, "name": "modes: gated, 2, best strength", "value": 1.2, "low": 1.2, "high": 1.2}
    result = {"bench": "world", "quick": False, "rows": [*rows, strength]}

    text = figures_text(result, {"form": "128", "size": 128, "steps": {}}, "9 scenes", "")

    assert "| mode | 1 person | 2 people |" in text
    assert "| gated | 0.50 (0.25 to 0.75) | 0.50 (0.25 to 0.75) |" in text
    assert "| unpatched |  | 0.50 (0.25 to 0.75) |" in text
    assert "| gated | 1.2 |" in text
    assert "modes:" not in text


def test_samples_are_linked_with_words_for_those_who_cannot_see_them():
    assert "![two people](samples/two.jpg)" in samples_text([("two.jpg", "two people")], "samples")


def test_a_sheet_has_a_place_for_every_picture_and_word(tmp_path):
    red = np.full((8, 8, 3), (255, 0, 0), np.uint8)
    card = Card([("photo", red), ("drawn", red)], ["a line of many words " * 5])

    one, four = draw_sheet([card], 2), draw_sheet([card] * 4, 2)

    assert four.height > 1.5 * one.height
    assert one.getpixel((SIDE // 2, SIDE // 2)) == (255, 0, 0)
    write_sheet(tmp_path / "new" / "sheet.jpg", [card], 1)
    assert (tmp_path / "new" / "sheet.jpg").stat().st_size < 50_000


def test_lines_break_between_words_and_keep_all_of_them():
    text = "four beach, red smiling left, blue sad ahead, white neutral right"

    lines = wrap(text, SIDE)

    assert " ".join(lines) == text
    assert all(font().getlength(line) <= SIDE for line in lines)


def test_samples_are_drawn_at_the_strengths_that_the_bench_found_best(tmp_path):
    rows = [{"name": name, "value": 0.5 + index} for index, name in enumerate(STRENGTH_ROWS)]

    assert strengths_in({"rows": rows}) == {1: 0.5, 2: 1.5, 3: 1.5}
    assert strengths_in(read_figures(None)) == {1: 1.0, 2: 1.0, 3: 1.0}
    file = tmp_path / "other.json"
    for text in ("[", "[]", '{"bench": "demo"}'):
        file.write_text(text)
        with pytest.raises(Refusal, match="bench.py world --json"):
            read_figures(file)
