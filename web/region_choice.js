/** Cast Member's region: a list of the connected regions in their colours, empty for "own name, else the next free". */

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { LIST, nameOf } from "./identities/choices.mjs";
import { watchLists } from "./identities/open_lists.mjs";
import { regionsBefore } from "./regions/known_regions.mjs";
import { chooseLanguage, speaker } from "./regions/language.mjs";
import { chain, CHANGED, LANGUAGE } from "./regions/on_node.mjs";

const WIDGET = "TROUPE_REGION_CHOICE";
const OTHER = "…"; // a choice, never a value
const members = new Map(); // node -> { widget, options() }, of those that are in a graph
const flagged = new WeakSet(); // nodes that are red because of us

function say(key) {
  const setting = (name) => app.extensionManager?.setting?.get(name);
  return speaker(chooseLanguage(setting(LANGUAGE), setting("Comfy.Locale"), navigator.language))(key);
}

const labelOf = (value) => (value === OTHER ? say("choice-other") : value || say("choice-auto"));

/** The choices of a node: those that are connected, and a name of one's own where only a run can tell them. */
function choicesOf(node, value) {
  const regions = regionsBefore(node);
  const names = regions ? regions.map(({ name }) => name) : [...(value ? [value] : []), OTHER];
  return ["", ...names];
}

function createWidget(node, inputName, inputData) {
  let value = inputData?.[1]?.default ?? "";
  const chosen = (wanted) => {
    if (wanted === OTHER) return void askFor(widget, value);
    value = wanted;
    window.dispatchEvent(new Event(CHANGED)); // boards show who stands where
    return check(node);
  };
  const options = () => ({ values: () => choicesOf(node, value), getOptionLabel: labelOf });
  const widget = node.addWidget("combo", inputName, value, chosen, options());
  chain(node, "onAdded", () => {
    members.set(node, { widget, options });
    requestAnimationFrame(() => check(node));
  });
  chain(node, "onRemoved", () => members.delete(node));
  chain(node, "onConfigure", () => {
    value = widget.value;
    check(node);
  });
  chain(node, "onConnectionsChange", () => requestAnimationFrame(() => check(node)));
  return { widget };
}

async function askFor(widget, before) {
  widget.value = before;
  const name = await app.extensionManager.dialog.prompt({ title: say("choice-other"), message: say("choice-name"), defaultValue: before });
  if (typeof name !== "string") return;
  widget.value = name.trim();
  widget.callback?.(widget.value);
  app.canvas?.setDirty(true, true);
}

/** A name that no connected region has is red before the run; what others have marked stays theirs. */
function check(node) {
  const { widget, options } = members.get(node) ?? {};
  const wanted = String(widget?.value ?? "").trim();
  const regions = node.graph ? regionsBefore(node) : null;
  const wrong = Boolean(wanted && regions && !regions.some(({ name }) => name === wanted));
  if (widget && wrong !== flagged.has(node)) widget.options = options(); // front ends that frame no node ask the list then
  if (wrong === flagged.has(node) && wrong === Boolean(node.has_errors)) return;
  if (!wrong && !flagged.has(node)) return;
  const before = node.has_errors;
  node.has_errors = wrong;
  if (wrong) flagged.add(node);
  else flagged.delete(node);
  node.graph?.trigger?.("node:property:changed", { type: "node:property:changed", nodeId: node.id, property: "has_errors", oldValue: before, newValue: wrong });
  node.setDirtyCanvas?.(true, true);
}

let waiting = 0;
function checkAll() {
  waiting ||= requestAnimationFrame(() => {
    waiting = 0;
    for (const node of members.keys()) check(node);
  });
}

/** A dot in the region's colour beside each name, in lists of ours alone: those begin with the choice that is empty. */
function colour(choice) {
  const list = choice.closest(LIST);
  const first = list && [...list.querySelectorAll('.litemenu-entry, [role="option"]')][0];
  if (!first || first.textContent.trim() !== labelOf("") || choice.querySelector(".troupe-dot")) return;
  const name = nameOf(choice);
  const region = [...members.keys()].flatMap((node) => regionsBefore(node) ?? []).find((one) => one.name === name);
  if (!region) return;
  const dot = document.createElement("span");
  dot.className = "troupe-dot";
  Object.assign(dot.style, {
    display: "inline-block", flex: "none", width: "12px", height: "12px", marginRight: "8px", borderRadius: "4px",
    verticalAlign: "-1px", background: region.colour,
  });
  choice.prepend(dot);
  if (dot.nextElementSibling) dot.nextElementSibling.style.marginRight = "auto"; // lists that spread their choices out
}

app.registerExtension({
  name: "Troupe.RegionChoice",
  setup() {
    watchLists(() => members.size > 0, colour);
    window.addEventListener(CHANGED, checkAll);
    for (const kind of ["execution_start", "execution_success", "execution_error"]) api.addEventListener(kind, checkAll);
  },
  getCustomWidgets: () => ({ [WIDGET]: createWidget }),
});
