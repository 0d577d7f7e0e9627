"""Every node has a help page that names all of its inputs and outputs, where the editor's "i" button looks for it."""

import re

import pytest
from pack.nodes import NODES
from pack.scripts.bootstrap.places import PACK_FOLDER, ROOT
from pack.scripts.showing.locales import inputs_of

PAGES = ROOT / "web" / "docs"
PARTS = ("Inputs", "Outputs", "Example", "When something is wrong")
INFO = {node.GET_SCHEMA().node_id: node.GET_NODE_INFO_V1() for node in NODES}


def part(text, title):
    """What stands under a heading."""
    return text.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]


def rows(section):
    """The cells of a table without its head."""
    table = [re.split(r"(?<!\\)\|", line)[1:-1] for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row] for row in table[2:]]


def page_of(node):
    path = PAGES / f"{node}.md"
    assert path.is_file(), f"{node} has no help page. Write web/docs/{node}.md, with the parts of its neighbours."
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("node", INFO)
def test_a_page_has_its_parts(node):
    text = page_of(node)

    assert text.startswith(f"# {INFO[node]['display_name']}\n\n")
    headings = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert tuple(headings[: len(PARTS)]) == PARTS
    assert len(set(headings)) == len(headings)
    assert len(re.findall(r"^# ", text, re.MULTILINE)) == 1
    assert part(text, "Example").count("```") == 2
    assert rows(part(text, "When something is wrong"))


@pytest.mark.parametrize("node", INFO)
def test_a_page_names_every_input_and_output_and_no_other(node):
    text = page_of(node)

    assert [row[0] for row in rows(part(text, "Inputs"))] == [f"`{name}`" for name, _, _ in inputs_of(INFO[node])]
    assert [row[0] for row in rows(part(text, "Outputs"))] == [f"`{name}`" for name in INFO[node]["output_name"]]
    for row in [*rows(part(text, "Inputs")), *rows(part(text, "Outputs"))]:
        assert len(row) == 3
        assert all(row), row


def test_no_page_is_left_of_a_node_that_is_gone():
    assert {path.stem for path in PAGES.glob("*.md")} == set(INFO)


def test_the_server_hands_the_pages_out_where_the_editor_asks(server):
    for node in INFO:
        assert server.client.get(f"/extensions/{PACK_FOLDER}/docs/{node}.md").decode() == page_of(node)
