/** The sliders for the brush and for the softness of the selected region's edge. */

import { change } from "./edits.mjs";
import { element } from "./elements.mjs";
import { selected } from "./store.mjs";

/** { bar, update(state) }. */
export function createBrushBar(store, say) {
  const brush = (changes) => store.set({ brush: { ...store.state.brush, ...changes } });
  const size = slider(say("size"), { min: 0.01, max: 0.6, step: 0.01 }, (value) => brush({ size: value }));
  const soften = (keep) => (feather) => {
    brush({ feather });
    const region = selected(store.state);
    if (!region || region.locked) return;
    const after = change(store.state.document, region.name, { feather });
    if (keep) store.keep(after);
    else store.set({ draft: after });
  };
  const feather = slider(say("feather"), { min: 0, max: 0.2, step: 0.005 }, soften(false), soften(true));
  const hint = element("span", { className: "troupe-hint" });
  const bar = element("div", { className: "troupe-brush" }, size.label, feather.label, hint);
  return {
    bar,
    update(state) {
      const paints = state.tool === "paint" || state.tool === "erase";
      const region = selected(state);
      size.label.hidden = !paints;
      feather.label.hidden = !(state.tool === "paint" || (!paints && region && !region.locked));
      size.show(state.brush.size);
      feather.show(region?.feather ?? state.brush.feather);
      hint.textContent = hintFor(state, region, paints, say);
    },
  };
}

function hintFor(state, region, paints, say) {
  if (state.broken) return "";
  if (!state.document.regions.length && state.tool === "select") return say("empty");
  return region && paints ? say(`hint-${state.tool}-on`, { name: region.name }) : say(`hint-${state.tool}`);
}

function slider(name, range, oninput, onchange = () => {}) {
  const value = element("output");
  const input = element("input", {
    type: "range", ...range, "aria-label": name,
    oninput: () => oninput(Number(input.value)),
    onchange: () => onchange(Number(input.value)),
  });
  const label = element("label", { className: "troupe-slider" }, element("span", {}, name), input, value);
  return {
    label,
    show(number) {
      if (Number(input.value) !== number) input.value = number;
      value.textContent = `${Math.round(number * 1000) / 10} %`;
    },
  };
}
