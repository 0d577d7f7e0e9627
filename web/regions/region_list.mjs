/** The list of regions: its order is that of the masks. Rows are reused, so that typing is not interrupted. */

import { nameRegion } from "./commands.mjs";
import { change, moveInList, reshape } from "./edits.mjs";
import { element, iconButton, setIcon, setLabel, setPressed } from "./elements.mjs";
import { backToFront } from "./hits.mjs";
import { shown } from "./store.mjs";

/** { list, update(state), editName(region) }; `leave()` gets the keyboard back when a name was typed. */
export function createList(store, say, leave) {
  const list = element("ul", { className: "troupe-list", "aria-label": say("regions") });
  list.dataset.captureWheel = "true";
  const rows = [];
  return {
    list,
    update(state) {
      const { regions } = shown(state);
      while (rows.length < regions.length) list.append(rows[rows.push(createRow(store, say, leave)) - 1].item);
      while (rows.length > regions.length) rows.pop().item.remove();
      const stack = backToFront(regions).reverse();
      regions.forEach((region, index) => {
        rows[index].update(region, { chosen: region.name === state.selection, place: stack.indexOf(region) + 1, index, last: regions.length - 1 });
      });
    },
    editName({ name }) {
      const row = rows.find((one) => one.region().name === name);
      if (!row) return;
      showInside(list, row.item);
      row.name.focus({ preventScroll: true }); // browsers would scroll everything around the list as well
      row.name.select();
    },
  };
}

function showInside(list, item) {
  const [outer, inner] = [list.getBoundingClientRect(), item.getBoundingClientRect()];
  const scale = outer.height / list.offsetHeight || 1; // the graph's zoom
  if (inner.top < outer.top) list.scrollTop -= (outer.top - inner.top) / scale;
  if (inner.bottom > outer.bottom) list.scrollTop += (inner.bottom - outer.bottom) / scale;
}

function createRow(store, say, leave) {
  let region = { name: "" };
  const keep = (after) => store.keep(after, { selection: region.name });
  const to = (changes) => keep(change(store.state.document, region.name, changes));
  const choose = () => store.state.selection !== region.name && store.set({ selection: region.name });
  const place = element("button", { type: "button", className: "troupe-place", onclick: choose });
  const colour = element("input", { type: "color", onchange: () => to({ colour: colour.value }) });
  const name = nameField(store, () => region, choose, leave);
  const shape = iconButton("box", "", () => {
    keep(reshape(store.state.document, region.name, region.shape === "box" ? "ellipse" : "box"));
  });
  const lock = iconButton("lock", "", () => to({ locked: !region.locked }));
  const up = iconButton("up", "", () => keep(moveInList(store.state.document, region.name, -1)));
  const down = iconButton("down", "", () => keep(moveInList(store.state.document, region.name, 1)));
  const item = element("li", { onclick: choose }, place, colour, name, shape, lock, up, down);
  const buttons = { place, colour, name, shape, lock, up, down };
  return {
    item,
    name,
    region: () => region,
    update(next, more) {
      region = next;
      showRow(item, buttons, region, more, say);
    },
  };
}

function nameField(store, region, choose, leave) {
  const field = element("input", { type: "text", maxLength: 64, spellcheck: false, autocomplete: "off" });
  field.addEventListener("focus", choose);
  field.addEventListener("change", () => {
    field.value = nameRegion(store, region().name, field.value);
  });
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Escape") field.value = region().name;
    if (event.key !== "Enter" && event.key !== "Escape") return;
    field.blur();
    leave();
  });
  return field;
}

function showRow(item, { place, colour, name, shape, lock, up, down }, region, { chosen, place: at, index, last }, say) {
  const named = { name: region.name };
  item.classList.toggle("chosen", chosen);
  place.textContent = String(at);
  const { x, y, width, height } = region;
  const [left, top, wide, high] = [x, y, width, height].map((part) => Math.round(part * 100));
  const described = say("described", {
    ...named, shape: say(`shape-${region.shape}`), x: left, y: top, width: wide, height: high, place: at,
  });
  setLabel(place, region.locked ? `${described}, ${say("locked")}` : described);
  setPressed(place, chosen);
  colour.value = region.colour.toLowerCase();
  setLabel(colour, say("colour", named));
  if (document.activeElement !== name) name.value = region.name;
  name.setAttribute("aria-label", say("name", named));
  setIcon(shape, region.shape);
  setLabel(shape, `${say("shape", named)}: ${say(`shape-${region.shape}`)}`);
  shape.disabled = region.locked;
  setIcon(lock, region.locked ? "lock" : "unlock");
  setLabel(lock, say(region.locked ? "unlock" : "lock", named));
  setPressed(lock, region.locked);
  setLabel(up, say("up", named));
  setLabel(down, say("down", named));
  [up.disabled, down.disabled] = [index === 0, index === last];
}
