"""Rows that compare recipes become tables; all others stay a list."""

from pack.scripts.showing.recipe_tables import page_section

ROW = {"unit": "", "value": 0.5, "low": 0.25, "high": 0.75, "samples": 9, "bound": None, "at_most": False}
ROW |= {"verdict": "measured"}


def page_of(*names):
    rows = [{**ROW, "name": name} for name in names]
    return page_section(
        {"bench": "b", "rows": rows, "machine": {"processor": "a chip", "cores": 2}, "seconds": 60}, "c"
    )


def test_recipes_stand_below_each_other_and_people_beside():
    text = page_of(
        "recipes: Troupe, 2, right place", "recipes: Troupe, 1, right place", "recipes: AnyMS, 2, right place"
    )

    assert "Right place:\n\n| recipe | 1 person | 2 people |" in text
    assert "| Troupe | 0.50 (0.25 to 0.75) | 0.50 (0.25 to 0.75) |" in text
    assert "| AnyMS |  | 0.50 (0.25 to 0.75) |" in text
    assert "recipes:" not in text


def test_ablations_share_one_table():
    text = page_of("ablations: AnyMS without boxes, 2, right place", "ablations: MultiID without photos, 2, own")

    assert "| recipe | right place | own |" in text
    assert "| AnyMS without boxes | 0.50 (0.25 to 0.75) |  |" in text
    assert "| MultiID without photos |  | 0.50 (0.25 to 0.75) |" in text


def test_candidates_of_the_search_stand_below_each_other():
    text = page_of("search: feather 0.02, 2, right place", "search: feather 0.02, 5, right place")

    assert "| candidate | 2 people | 5 people |" in text
    assert "| feather 0.02 | 0.50 (0.25 to 0.75) | 0.50 (0.25 to 0.75) |" in text


def test_other_rows_stay_a_list():
    text = page_of("a row")

    assert "| a row | 0.5 | 0.25 to 0.75 | 9 |  | measured |" in text
    assert "###" not in text
