"""Somebody at the editor whose every action is counted: a click, a drop, a drag, a key chord or a typed word is one."""

from pack.tests.web.board_page import DROP, carried

SLOT = """([type, isInput, name]) => {
  const node = app.graph.nodes.find((one) => one.type === type);
  const index = (isInput ? node.inputs : node.outputs).findIndex((slot) => slot.name === name);
  const dot = document.querySelector(`[data-slot-key="${node.id}-${isInput ? 'in' : 'out'}-${index}"]`);
  if (dot) {
    const { left, top, width, height } = dot.getBoundingClientRect();
    return [left + width / 2, top + height / 2];
  }
  const [x, y] = app.canvas.ds.convertOffsetToCanvas([...node.getConnectionPos(isInput, index)]);
  const { left, top } = app.canvas.canvas.getBoundingClientRect();
  return [left + x, top + y];
}"""


class CountedPerson:
    """Acts on a CanvasPage as a person would, by mouse and keys alone."""

    def __init__(self, page):
        self.page, self.tab, self.actions = page, page.tab, []

    def done(self, what):
        self.actions.append(what)
        self.tab.wait_for_timeout(400)
        self.page.settle()

    def double_click(self, x, y):
        self.tab.mouse.dblclick(x, y)
        self.done("double click")

    def click(self, x, y):
        self.tab.mouse.move(x - 5, y - 5)
        self.tab.mouse.move(x, y)
        self.tab.mouse.click(x, y)
        self.done("click")

    def click_on(self, text):
        """Click on an entry of the search that is called so."""
        self.tab.locator(f'[role="search"] :text-is("{text}")').first.click()
        self.done(f"click on {text}")

    def type_word(self, word):
        assert " " not in word
        self.tab.keyboard.type(word)
        self.done(f"word {word}")

    def press(self, chord):
        self.tab.keyboard.press(chord)
        self.done(chord)

    def drop(self, names, x, y):
        """Drop photos, all that were taken hold of together."""
        self.page.run(DROP, [carried(name) for name in names], x, y, False, None)
        self.done(f"drop of {len(names)}")

    def drag(self, start, end):
        """Drag from a place to a place; a place is a point, or node type, whether an input, and slot."""
        (x, y), (to_x, to_y) = (self.page.run(SLOT, *place) if len(place) == 3 else place for place in (start, end))
        self.tab.mouse.move(x, y)
        self.tab.mouse.down()
        self.tab.mouse.move((x + to_x) / 2, (y + to_y) / 2, steps=4)
        self.tab.mouse.move(to_x, to_y, steps=4)
        self.tab.mouse.up()
        self.done("drag")
