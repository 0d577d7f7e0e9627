/** What buttons and keys do, by name. */

import { change, duplicate, find, moveInDepth, remove, rename } from "./edits.mjs";
import { moved, resized, turnedBy } from "./geometry.mjs";
import { aspectOf, selected } from "./store.mjs";
import { WHOLE, zoomedAt } from "./zoom.mjs";

const TURN = 5; // degrees
const ZOOM = 1.4;
export const TOOLS = ["select", "box", "ellipse", "paint", "erase"];

/** A table of commands for a store; `stage.size()` is what zooming is about, `cancel` ends a drag, `full` fills the window. */
export function createCommands(store, stage, say, { cancel, renameSelected, full }) {
  const withSelected = (act) => () => {
    const region = selected(store.state);
    if (region) act(region, store.state.document);
  };
  const unlocked = (act) => withSelected((region, document) => !region.locked && act(region, document));
  const inDepth = (steps) => withSelected(({ name }, document) => store.keep(moveInDepth(document, name, steps)));
  const zoom = (factor) => () => {
    const { width, height } = stage.size();
    const middle = { x: width / 2, y: height / 2 };
    store.set({ view: zoomedAt(store.state.view, factor, middle, { width, height }, aspectOf(store.state)) });
  };
  const turn = (degrees) => unlocked((region, document) => {
    if (region.shape === "mask") return;
    store.keep(change(document, region.name, { rotation: turnedBy(region, degrees).rotation }), {}, false);
  });
  const choose = (steps) => () => {
    const { document, selection } = store.state;
    const names = document.regions.map(({ name }) => name);
    const from = selection ? names.indexOf(selection) : steps > 0 ? -1 : 0;
    if (names.length) store.set({ selection: names[(from + steps + names.length) % names.length] });
  };
  return {
    ...Object.fromEntries(TOOLS.map((tool) => [tool, () => store.set({ tool, pointer: null })])),
    duplicate: withSelected(({ name }, document) => {
      const [after, copy] = duplicate(document, name);
      if (copy) store.keep(after, { selection: copy, status: say("added", { name: copy }) });
      else store.set({ status: say("full") });
    }),
    remove: unlocked(({ name }, document) => {
      store.keep(remove(document, name), { selection: null, status: say("removed", { name }) });
    }),
    forward: inDepth(1),
    backward: inDepth(-1),
    "to-front": inDepth(Infinity),
    "to-back": inDepth(-Infinity),
    lock: withSelected(({ name, locked }, document) => store.keep(change(document, name, { locked: !locked }))),
    "turn-right": turn(TURN),
    "turn-left": turn(-TURN),
    next: choose(1),
    previous: choose(-1),
    snapping: () => store.set({ snapping: !store.state.snapping }),
    "zoom-in": zoom(ZOOM),
    "zoom-out": zoom(1 / ZOOM),
    "zoom-whole": () => store.set({ view: WHOLE }),
    rename: withSelected(renameSelected),
    "fill-window": full,
    cancel() {
      if (!cancel()) store.set({ selection: null, tool: "select" });
    },
  };
}

/** Move (`nudge`) or resize (`grow`) the selected region by some pixels of the picture; settled when the key is up. */
export function nudge(store, { nudge: steps, grow }) {
  const { document, width, height } = store.state;
  const region = selected(store.state);
  if (!region || region.locked) return;
  const [right, down] = [(steps ?? grow)[0] / width, (steps ?? grow)[1] / height];
  const corner = { x: region.x + region.width + right, y: region.y + region.height + down };
  const at = steps ? moved(region, right, down) : resized({ ...region, rotation: 0 }, "se", corner, aspectOf(store.state));
  const { x, y, width: wide, height: high } = at;
  store.keep(change(document, region.name, { x, y, width: wide, height: high }), {}, false);
}

/** Give a region another name; returns the one it got. */
export function nameRegion(store, name, wanted) {
  if (!find(store.state.document, name)) return name;
  const [after, own] = rename(store.state.document, name, wanted);
  if (own !== name) store.keep(after, { selection: own });
  return own;
}
