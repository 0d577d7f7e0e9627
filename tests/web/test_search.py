"""The words under which people look for this pack in the editor's node search."""

import pytest

WORDS = (
    "two people", "several people", "multiple characters", "couple", "face swap", "group portrait",
    "consistent character",
)  # fmt: skip
SHOWN = """() => [...document.querySelectorAll('[role="listbox"] [role="option"], [role="listbox"] li')]
  .map((one) => one.innerText.split('\\n')[0].trim())"""


@pytest.mark.parametrize("word", WORDS)
def test_the_node_search_finds_the_pack(classic, word):
    classic.run("() => app.extensionManager.command.execute('Workspace.SearchBox.Toggle')")
    field = classic.tab.locator("input[role=combobox]").first
    field.wait_for(timeout=30_000)
    field.fill(word)
    ours = ("Apply Cast", "Cast Member", "Draw Regions", "Extract Identity", "Refine Cast", "Cast Board")
    try:
        for _ in range(40):
            classic.tab.wait_for_timeout(50)
            found = classic.run(SHOWN)[:6]
            if any(name in found for name in ours):
                break
        assert any(name in found for name in ours), found
    finally:
        classic.tab.keyboard.press("Escape")
        classic.tab.keyboard.press("Escape")
