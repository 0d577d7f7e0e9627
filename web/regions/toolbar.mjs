/** The buttons above the stage. */

import { TOOLS } from "./commands.mjs";
import { arrange } from "./edits.mjs";
import { element, iconButton, setPressed } from "./elements.mjs";
import { PRESETS } from "./presets.mjs";
import { selected } from "./store.mjs";

const ACTIONS = ["duplicate", "remove", "forward", "backward"];
const VIEW = ["zoom-out", "zoom-whole", "zoom-in"];

/** { bar, update(state) }. `transfer` has copy() and paste(). */
export function createToolbar(store, commands, transfer, say) {
  const button = (name, act = commands[name]) => iconButton(name, say(name), act);
  const tools = TOOLS.map((tool) => button(tool));
  const actions = ACTIONS.map((action) => button(action));
  const snapping = button("snapping");
  const background = menu("background", ["none", "input", "result"], say, (value) => store.set({ background: value }));
  const bar = element(
    "div",
    { className: "troupe-toolbar" },
    group("tools", tools, say),
    group("actions", actions, say),
    group("view", [snapping, ...VIEW.map((name) => button(name)), button("fill-window")], say),
    group("regions", [button("copy", transfer.copy), button("paste", transfer.paste)], say),
    element("div", { className: "troupe-menus" }, presetMenu(store, say), background),
  );
  return {
    bar,
    update(state) {
      tools.forEach((tool) => setPressed(tool, tool.dataset.command === state.tool));
      setPressed(snapping, state.snapping);
      const region = selected(state);
      actions.forEach((action) => {
        action.disabled = !region || (region.locked && action.dataset.command === "remove");
      });
      background.value = state.background;
    },
  };
}

function group(name, children, say) {
  return element("div", { className: "troupe-group", role: "group", "aria-label": say(name), dataset: { group: name } }, ...children);
}

function menu(name, values, say, choose) {
  const options = values.map((value) => element("option", { value }, say(`${name}-${value}`)));
  const made = element("select", { className: "troupe-menu", onchange: () => choose(made.value) }, ...options);
  made.title = say(name);
  made.setAttribute("aria-label", say(name));
  return made;
}

function presetMenu(store, say) {
  const made = menu("preset", Object.keys(PRESETS), (key) => say(key === "preset" ? "presets" : key), (value) => {
    store.keep(arrange(store.state.document, PRESETS[value], say("person")));
    made.value = "";
  });
  made.prepend(element("option", { value: "", disabled: true, hidden: true }, say("presets")));
  made.dataset.command = "presets";
  made.value = "";
  return made;
}
