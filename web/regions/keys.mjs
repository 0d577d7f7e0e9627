/** What keys do on the stage: a table from key to the name of a command. */

const PLAIN = {
  Delete: "remove", Backspace: "remove", Escape: "cancel", Enter: "rename", F2: "rename",
  v: "select", b: "box", e: "ellipse", p: "paint", x: "erase",
  "[": "backward", "]": "forward", "{": "to-back", "}": "to-front",
  n: "next", N: "previous", PageDown: "next", PageUp: "previous",
  l: "lock", s: "snapping", f: "fill-window", r: "turn-right", R: "turn-left",
  "+": "zoom-in", "=": "zoom-in", "-": "zoom-out", 0: "zoom-whole",
};
const WITH_CTRL = { d: "duplicate" };
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** The name of the command of a key event, { nudge } or { grow } with a direction and size in pixels, or null. */
export function commandOf({ key, shiftKey, altKey, ctrlKey, metaKey }) {
  const ctrl = ctrlKey || metaKey;
  if (ARROWS[key] && !ctrl) {
    const steps = ARROWS[key].map((direction) => direction * (shiftKey ? 10 : 1));
    return altKey ? { grow: steps } : { nudge: steps };
  }
  if (ctrl) return (!altKey && !shiftKey && WITH_CTRL[key.toLowerCase()]) || null;
  return altKey ? null : PLAIN[key] ?? (shiftKey ? null : PLAIN[key.toLowerCase()]) ?? null;
}
