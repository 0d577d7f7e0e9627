/** Which regions a node can choose from, told from the canvas that they come from; only reads nodes. */

import { decodeRegions } from "./codec.mjs";
import { upstream } from "./pictures.mjs";

const CANVASES = { Troupe_DrawRegions: "regions", Troupe_CastBoard: "board" }; // node -> its widget with the text

/** The regions that are connected to `node`, or null where only a run can tell them. */
export function regionsBefore(node) {
  const source = upstream(node, "regions");
  const text = source?.widgets?.find((widget) => widget.name === CANVASES[source.comfyClass ?? source.type])?.value;
  if (typeof text !== "string") return null;
  try {
    return decodeRegions(text).regions;
  } catch {
    return null;
  }
}

/** The region that a member gets, as attention/recipes/cast.py says: the named one, else their own, else a free one. */
export function regionFor(regions, taken, wanted, person) {
  if (wanted.trim()) return wanted.trim();
  const free = regions.map(({ name }) => name).filter((name) => !taken.includes(name));
  return free.includes(person) || !free.length ? person ?? "" : free[0];
}
