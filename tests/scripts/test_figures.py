"""Verdicts, intervals, and rows that survive an interruption."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pack.scripts.figures.intervals import bootstrap_figure, t_figure
from pack.scripts.figures.store import Store, tree_key
from pack.scripts.figures.table import Result, as_json, as_table
from pack.scripts.figures.verdict import FALLS_SHORT, HOLDS, MEASURED, UNDECIDED, Figure, Row, verdict

numbers = st.floats(-1e6, 1e6)


@pytest.mark.parametrize(
    ("low", "high", "at_most", "expected"),
    [
        (1.0, 2.0, True, HOLDS),
        (1.0, 3.0, True, HOLDS),
        (2.0, 4.0, True, UNDECIDED),
        (3.0, 4.0, True, UNDECIDED),
        (3.1, 4.0, True, FALLS_SHORT),
        (3.1, 4.0, False, HOLDS),
        (2.0, 4.0, False, UNDECIDED),
        (1.0, 2.9, False, FALLS_SHORT),
    ],
)
def test_a_row_fails_only_when_its_interval_lies_wholly_beyond_the_bound(low, high, at_most, expected):
    assert verdict(Figure((low + high) / 2, low, high, 10), bound=3.0, at_most=at_most) == expected


@given(low=numbers, width=st.floats(0, 1e6), bound=numbers, at_most=st.booleans(), samples=st.integers(0, 2))
def test_too_few_samples_decide_nothing(low, width, bound, at_most, samples):
    assert verdict(Figure(low, low, low + width, samples), bound, at_most) == UNDECIDED


@given(low=numbers, width=st.floats(0, 1e6), bound=numbers)
def test_the_two_directions_mirror_each_other(low, width, bound):
    upper = verdict(Figure(low, low, low + width, 9), bound, at_most=True)
    lower = verdict(Figure(-low, -low - width, -low, 9), -bound, at_most=False)
    assert upper == lower


@given(low=numbers, width=st.floats(0, 1e3), more=st.floats(0, 1e3), bound=numbers)
def test_a_wider_interval_never_decides_what_a_narrow_one_did_not(low, width, more, bound):
    narrow = verdict(Figure(low, low, low + width, 9), bound)
    wide = verdict(Figure(low, low - more, low + width + more, 9), bound)
    assert wide in (narrow, UNDECIDED)


def test_nothing_is_decided_without_a_bound_or_with_a_nan():
    nan = float("nan")
    assert verdict(Figure(1, 0, 2, 10), None) == MEASURED
    assert verdict(Figure(nan, nan, nan, 10), 3.0) == UNDECIDED


def test_the_t_interval_is_the_one_of_the_tables():
    figure = t_figure([1.0, 2.0, 3.0])
    assert figure.value == 2.0
    # t(0.975, 2 degrees of freedom) = 4.303, times the standard error 1 / sqrt(3)
    assert figure.high - 2.0 == pytest.approx(4.303 / 3**0.5, abs=1e-3)
    assert figure.low == pytest.approx(4.0 - figure.high)
    assert t_figure([5.0]).samples == 1
    assert verdict(t_figure([5.0]), 3.0, least_samples=1) == UNDECIDED


def test_the_bootstrap_interval_holds_the_mean_and_shrinks_with_samples():
    few, many = bootstrap_figure([0.0, 1.0] * 5), bootstrap_figure([0.0, 1.0] * 500)
    assert few.low < 0.5 < few.high
    assert many.high - many.low < few.high - few.low


def test_finished_rows_are_kept_for_the_same_state_only(tmp_path):
    file = tmp_path / "bench" / "x.jsonl"
    Store(file, "key").add("first", Figure(1.0, 0.5, 1.5, 3))
    Store(file, "other key").add("second", Figure(2.0, 1.5, 2.5, 3))

    assert Store(file, "key").read() == {"first": Figure(1.0, 0.5, 1.5, 3)}
    Store(file, "key").clear()
    assert Store(file, "key").read() == {}


def test_a_row_cut_off_by_a_kill_is_measured_again_and_spoils_no_other(tmp_path):
    store = Store(tmp_path / "x.jsonl", "key")
    store.add("first", Figure(1.0, 0.5, 1.5, 3))
    whole = store.file.read_text()
    store.file.write_text(whole + "\n" + whole[: len(whole) // 2])

    assert list(store.read()) == ["first"]
    store.add("second", Figure(1.0, 0.5, 1.5, 3))
    assert list(store.read()) == ["first", "second"]


def test_the_key_follows_the_files_of_the_pack_and_the_settings(tmp_path):
    (tmp_path / "attention" / "__pycache__").mkdir(parents=True)
    file = tmp_path / "attention" / "masks.py"
    file.write_text("a = 1\n")
    key = tree_key(tmp_path, True)

    assert tree_key(tmp_path, False) != key
    (tmp_path / "attention" / "__pycache__" / "masks.pyc").write_bytes(b"compiled")
    (tmp_path / "README.md").write_text("words")
    assert tree_key(tmp_path, True) == key
    file.write_text("a = 2\n")
    assert tree_key(tmp_path, True) != key


def test_the_table_and_the_json_show_the_same():
    row = Row("seconds of a run", "s", measure=lambda: None, bound=30.0)
    results = [Result(row, Figure(12.3456, 11.0, 13.7, 5)), Result(row, t_figure([50.0]))]

    table = as_table(results)
    data = json.loads(json.dumps(as_json("demo", True, results), allow_nan=False))

    assert "12.3 s" in table
    assert "at most 30" in table
    assert "holds" in table
    assert [entry["verdict"] for entry in data["rows"]] == [HOLDS, UNDECIDED]
    assert data["rows"][1]["low"] is None
