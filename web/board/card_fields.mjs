/** The fields of a card: each shows a value of a person and keeps what is typed or dragged. */

import { element } from "../regions/elements.mjs";

/**
 * A slider: { label, show(value) }. `keep(value, settled)` is called while it moves and when it is let go.
 * range is { min, max, step }.
 */
export function sliderField(text, range, keep) {
  const value = element("output");
  const input = element("input", {
    type: "range", ...range,
    oninput: () => keep(Number(input.value), false),
    onchange: () => keep(Number(input.value), true),
  });
  const label = element("label", { className: "troupe-slider" }, element("span", {}, text), input, value);
  return {
    label,
    show(number, name) {
      if (Number(input.value) !== number) input.value = number;
      value.textContent = number.toFixed(2);
      input.setAttribute("aria-label", name);
    },
  };
}

/** A text of one or more lines: { field, show(text, name) }. `keep(text, settled)`; Escape gives up what was typed. */
export function textField(properties, keep, leave) {
  const field = element(properties.rows ? "textarea" : "input", { spellcheck: false, autocomplete: "off", ...properties });
  let before = "";
  field.addEventListener("focus", () => (before = field.value));
  field.addEventListener("input", () => properties.rows && keep(field.value, false));
  field.addEventListener("change", () => keep(field.value, true));
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "Escape") {
      field.value = before;
      if (properties.rows) keep(before, false);
    }
    const done = event.key === "Enter" && !event.shiftKey && !event.ctrlKey && !event.metaKey;
    if (event.key !== "Escape" && !done) return;
    event.preventDefault();
    field.blur();
    leave();
  });
  return {
    field,
    show(text, name) {
      if (document.activeElement !== field && field.value !== text) field.value = text;
      field.setAttribute("aria-label", name);
    },
  };
}

/** A grip: dragged, or with arrow keys, it moves its card in the list. `move(steps)`, `drag(event)` begins a drag. */
export function gripButton(move, drag) {
  const button = element("button", { type: "button", className: "troupe-grip" }, "⠿");
  button.addEventListener("keydown", (event) => {
    const steps = { ArrowUp: -1, ArrowDown: 1, Home: -Infinity, End: Infinity }[event.key];
    if (!steps) return;
    event.preventDefault();
    event.stopPropagation();
    move(steps);
    button.focus();
  });
  button.addEventListener("pointerdown", drag);
  return button;
}
