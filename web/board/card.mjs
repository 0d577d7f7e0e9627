/** One person's card: face, name, words, strength; behind "...": the photos, start and end, locks. */

import { nameRegion } from "../regions/commands.mjs";
import { change, remove } from "../regions/edits.mjs";
import { element, iconButton, setIcon, setLabel, setPressed } from "../regions/elements.mjs";
import { gripButton, sliderField, textField } from "./card_fields.mjs";
import { createPhotoStrip } from "./photo_strip.mjs";
import { changePerson, personOf, reorder } from "./people.mjs";

/**
 * { item, region(), update(region, chosen), name }. `board` is what cards have in common: { store, say, faces, leave(),
 * choosePhoto(name), problemOf(region), drag(event, card) }.
 */
export function createCard(board) {
  const { store, say, faces } = board;
  let region = { name: "" };
  let open = false;
  const to = (document, settled = true) => {
    store.keep(document, { selection: region.name }, settled);
  };
  const person = (changes, settled = true) => to(changePerson(store.state.document, region.name, changes), settled);
  const choose = () => store.state.selection !== region.name && store.set({ selection: region.name });
  const move = (steps) => {
    const { regions } = store.state.document;
    const from = regions.findIndex(({ name }) => name === region.name);
    to(reorder(store.state.document, region.name, Math.min(Math.max(from + steps, 0), regions.length - 1)));
  };
  const parts = {
    grip: gripButton(move, (event) => board.drag(event, card)),
    face: element("canvas", { width: 96, height: 96 }),
    count: element("span", { className: "troupe-count" }),
    colour: element("input", { type: "color", onchange: () => to(change(store.state.document, region.name, { colour: parts.colour.value })) }),
    name: textField({ type: "text", maxLength: 64, className: "troupe-name" }, (text, settled) => {
      if (!settled) return;
      region = { ...region, name: nameRegion(store, region.name, text) };
      parts.name.field.value = region.name;
    }, board.leave),
    prompt: textField({ rows: 1, placeholder: say("prompt-hint"), maxLength: 4000, className: "troupe-words" }, (prompt, settled) => person({ prompt }, settled), board.leave),
    strength: sliderField(say("strength"), { min: 0, max: 2, step: 0.05 }, (strength, settled) => person({ strength }, settled)),
    more: element("button", { type: "button", className: "troupe-button", onclick: () => { open = !open; show(); } }, "⋯"),
    problem: element("div", { className: "troupe-problem", role: "alert", hidden: true }),
  };
  parts.photo = element("button", { type: "button", className: "troupe-photo", onclick: () => board.choosePhoto(region.name) }, parts.face, parts.count);
  const details = createDetails(board, () => region, to, person);
  const middle = element("div", { className: "troupe-middle" }, element("div", { className: "troupe-row" }, parts.colour, parts.name.field), parts.prompt.field);
  const item = element("li", { className: "troupe-card", onclick: choose }, parts.grip, parts.photo, middle, parts.strength.label, parts.more, parts.problem, details.root);
  const show = () => {
    details.root.hidden = !open;
    setPressed(parts.more, open);
    if (open) details.update(region);
  };
  item.addEventListener("focusin", choose);
  const card = {
    item,
    name: parts.name.field,
    region: () => region,
    update(next, chosen) {
      region = next;
      item.dataset.person = region.name;
      item.classList.toggle("chosen", chosen);
      showCard(parts, region, board);
      show();
    },
  };
  return card;
}

function showCard(parts, region, { say, faces, problemOf, store }) {
  const { name } = region;
  const person = personOf(region);
  const [first] = person.photos;
  const portrait = first ? faces.portrait(first) : null;
  const ctx = parts.face.getContext("2d");
  ctx.clearRect(0, 0, 96, 96);
  if (portrait) ctx.drawImage(portrait, 0, 0);
  parts.photo.classList.toggle("empty", !portrait);
  parts.photo.classList.toggle("missing", person.photos.some((photo) => faces.of(photo).state === "missing"));
  parts.count.textContent = person.photos.length > 1 ? String(person.photos.length) : "";
  setLabel(parts.photo, say("photo", { name }));
  setLabel(parts.grip, say("grip", { name }));
  setLabel(parts.more, say("more", { name }));
  parts.colour.value = region.colour.toLowerCase();
  setLabel(parts.colour, say("colour", { name }));
  parts.name.show(name, say("name", { name }));
  parts.prompt.show(person.prompt, say("prompt", { name }));
  parts.strength.show(person.strength, say("strength-of", { name }));
  const problem = problemOf(region);
  parts.problem.hidden = !problem;
  if (parts.problem.dataset.text === (problem?.text ?? "")) return;
  parts.problem.dataset.text = problem?.text ?? "";
  parts.problem.replaceChildren(...(problem ? [
    element("span", {}, problem.text),
    ...problem.actions.map(([text, act]) => element("button", { type: "button", onclick: () => act(name, store) }, text)),
  ] : []));
}

function createDetails(board, region, to, person) {
  const { store, say } = board;
  const strip = createPhotoStrip(board, region, to);
  const negative = textField({ rows: 1, placeholder: say("negative-hint"), maxLength: 4000, className: "troupe-negative" }, (text, settled) => person({ negative: text }, settled), board.leave);
  const start = sliderField(say("start"), { min: 0, max: 1, step: 0.01 }, (value, settled) => person({ start: value }, settled));
  const end = sliderField(say("end"), { min: 0, max: 1, step: 0.01 }, (value, settled) => person({ end: value }, settled));
  const whole = element("input", { type: "checkbox", onchange: () => person({ whole: whole.checked }) });
  const lock = iconButton("lock", "", () => to(change(store.state.document, region().name, { locked: !region().locked })));
  const away = iconButton("remove", "", () => {
    store.keep(remove(store.state.document, region().name), { selection: null, status: say("removed", { name: region().name }) });
    board.leave();
  });
  const root = element("div", { className: "troupe-details", hidden: true },
    negative.field, strip.root, start.label, end.label,
    element("label", { className: "troupe-check" }, whole, say("whole")),
    element("span", { className: "troupe-row" }, lock, away));
  return {
    root,
    update(next) {
      const { name, locked } = next;
      const { start: from, end: until, whole: all, negative: refused } = personOf(next);
      negative.show(refused, say("negative", { name }));
      strip.update(next);
      start.show(from, say("start-of", { name }));
      end.show(until, say("end-of", { name }));
      whole.checked = all;
      setIcon(lock, locked ? "lock" : "unlock");
      setLabel(lock, say(locked ? "unlock" : "lock", { name }));
      setPressed(lock, locked);
      setLabel(away, say("take-away", { name }));
      away.disabled = locked;
    },
  };
}
