"""README stays short, says early what has not been shown, and keeps its known limits."""

import re

from pack.scripts.bootstrap.places import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
MOST_SIGNS, MOST_PICTURES = 10_000, 3


def test_readme_is_short():
    assert len(README) < MOST_SIGNS
    assert len(re.findall(r"!\[[^\]]*\]\(", README)) <= MOST_PICTURES


def test_the_second_paragraph_says_what_has_not_been_shown():
    paragraphs = [part for part in README.split("\n\n") if not part.startswith(("#", "!"))]

    for word in ("published checkpoint", "GPU", "128 pixels", "CPU", "registry"):
        assert word in paragraphs[1]


def test_known_limits_and_faces_have_their_sections():
    sections = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", README, re.MULTILINE | re.DOTALL))

    assert sections["Known limits"].count("\n* ") >= 8
    for word in ("agreed", "metadata", "`input`", "`temp`", ".unfinished"):
        assert word in sections["Faces are personal"]


def test_every_link_of_readme_leads_to_a_file():
    links = re.findall(r"\]\(([^)]+)\)", README)

    assert [link for link in links if not link.startswith("https://") and not (ROOT / link).is_file()] == []
