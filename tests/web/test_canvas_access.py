"""For everybody: JSON by clipboard, errors that say what to do, languages, names for screen readers, contrast."""

import json
import re

import pytest

COLOURS = """() => {
  const style = getComputedStyle(document.querySelector('.troupe-regions'));
  return [style.color, style.backgroundColor];
}"""


def luminance(colour):
    """The relative luminance (WCAG) of a colour of a style sheet."""
    parts = [float(part) for part in re.findall(r"[\d.]+", colour)[:3]]
    if not colour.startswith("color("):
        parts = [part / 255 for part in parts]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return sum(part * weight for part, weight in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))


def test_regions_travel_as_json(classic):
    classic.click(0.2, 0.5)
    classic.keys("Control+c")
    copied = classic.run("() => navigator.clipboard.readText()")
    assert [region["name"] for region in json.loads(copied)["regions"]] == ["left"]
    classic.keys("Control+v")
    assert classic.names() == ["left", "right", "left 2"]
    assert classic.run("() => app.graph.nodes.length") == 1

    classic.press("copy")
    classic.press("paste")
    bad = (
        '{"version": 2, "regions": [{"name": "<img src=x onerror=alert(1)>", "x": 0, "y": 0, "width": 1, "height": 1}]}'
    )
    classic.part("textarea").fill(bad)
    classic.settle()
    assert "Leave out < and >" in classic.part("[role=status]").inner_text()
    classic.part("textarea").fill(
        '{"version": 1, "regions": [{"name": "Eve", "x": 0, "y": 0, "width": 1, "height": 1}]}'
    )
    assert classic.names() == ["left", "right", "left 2", "Eve"]


def test_a_broken_value_is_shown_kept_and_refused_by_name(classic):
    broken = '{"version": 2, "regions": [{"name": "Ada", "x": "wide"}]}'
    classic.load(classic.workflow(broken))
    assert "'x' of region 1 ('Ada')" in classic.part("[role=alert]").inner_text()
    assert classic.text() == broken
    assert classic.prompt_text() == broken
    classic.picture("broken")

    classic.part(".troupe-broken button").last.click()
    assert classic.regions() == []


@pytest.mark.parametrize(
    ("language", "word"),
    [("de", "Anordnen"), ("ja", "配置"), ("zh", "排列"), ("zh-TW", "排列方式"), ("fr", "Disposer")],
)
def test_the_canvas_speaks_the_users_language(classic, language, word):
    classic.set("Troupe.Language", language)
    try:
        classic.load(classic.workflow())
        assert word in classic.part('[data-command="presets"]').inner_text()
        if language == "de":
            classic.picture("german")
    finally:
        classic.set("Troupe.Language", "auto")


def test_everything_has_a_name_and_is_reached_by_keys(classic):
    nameless = """() => [...document.querySelectorAll('.troupe-regions :is(button, input, select, textarea, canvas)')]
      .filter((one) => !(one.getAttribute('aria-label') || one.textContent.trim())).map((one) => one.outerHTML)"""
    assert classic.run(nameless) == []
    keys = classic.run("() => document.querySelector('.troupe-stage').getAttribute('aria-describedby')")
    assert "Arrow keys" in classic.tab.locator(f"#{keys}").inner_text()

    classic.part('.troupe-toolbar [data-command="select"]').focus()
    reached = set()
    for _ in range(40):
        classic.tab.keyboard.press("Tab")
        reached.add(classic.run("() => document.activeElement.className + ' ' + (document.activeElement.type ?? '')"))
    assert {"troupe-stage ", "troupe-button button", "troupe-menu select-one", " text", " color"} <= reached


@pytest.mark.parametrize("palette", ["light", "dark"])
def test_text_can_be_read_on_light_and_on_dark(canvas, palette):
    canvas.set("Comfy.ColorPalette", palette)
    try:
        canvas.tab.wait_for_timeout(300)
        canvas.click(0.2, 0.5)
        canvas.picture(f"{palette}-{canvas.renderer}")
        text, ground = (luminance(colour) for colour in canvas.run(COLOURS))
        assert (max(text, ground) + 0.05) / (min(text, ground) + 0.05) > 4.5
    finally:
        canvas.set("Comfy.ColorPalette", "dark")
