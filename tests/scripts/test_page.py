"""Parts of Markdown pages that a command makes: they replace themselves alone, and say what a bench said."""

import pytest
from pack.scripts.bootstrap.errors import Refusal
from pack.scripts.figures.page import markers, section, with_part

PAGE, MAKER = "# Title\n\nWords.\n", "python make.py"


def test_a_part_is_added_at_the_end_and_replaced_where_it_is():
    first = with_part(with_part(PAGE, "samples", "one", MAKER), "figures", "two", MAKER)
    again = with_part(first, "samples", "three\nlines\nlong", MAKER)

    assert first.startswith(PAGE)
    assert with_part(again, "samples", "one", MAKER) == first
    assert again.index("three") < again.index("two")
    assert with_part(again, "samples", "three\nlines\nlong", MAKER) == again


@pytest.mark.parametrize("lines", [slice(0, 1), slice(1, 2)])
def test_a_page_with_half_the_markers_is_refused(lines):
    page = PAGE + "\n".join(markers("samples", MAKER)[lines])

    with pytest.raises(Refusal, match="Delete both"):
        with_part(page, "samples", "one", MAKER)


def test_a_section_has_every_row_with_machine_time_and_command():
    row = {"name": "a row", "unit": "x", "value": 1.02, "low": 1.01, "high": 1.04, "samples": 30, "bound": 1.06}
    row |= {"at_most": True, "verdict": "holds"}
    result = {"bench": "speed", "rows": [row], "machine": {"processor": "a chip", "cores": 2}, "seconds": 90.0}

    text = section(result, "python scripts/bench.py speed")

    assert "| a row | 1.02 x | 1.01 to 1.04 | 30 | at most 1.06 | holds |" in text
    for fact in ("## speed", "a chip, 2 cores", "2 minutes", "python scripts/bench.py speed"):
        assert fact in text
