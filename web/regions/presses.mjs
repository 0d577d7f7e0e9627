/** What a press on the stage begins: the tool and what lies under the pointer decide. */

import { brushGesture, drawGesture, handleGesture, moveGesture } from "./gestures.mjs";
import { covers, handleAt, regionAt } from "./hits.mjs";
import { snapLines } from "./snapping.mjs";
import { aspectOf, selected } from "./store.mjs";
import { scaleOf } from "./zoom.mjs";

export const STEM = 22; // pixels from a region to its handle for turning
const SNAP = 6; // pixels
const REACH = { mouse: 8, pen: 10, touch: 18 }; // pixels around a handle that count as the handle

/**
 * { gesture } or { pan } or neither, for a point of the picture, with
 * selection : what becomes selected by the press alone
 * atOnce    : a press without a drag counts
 * after     : what to set when something came of it
 * `stage` is { width, height }, `pointer` one of mouse, pen and touch, `word` the name of a new region.
 */
export function pressAt(state, stage, pointer, point, word) {
  const { tool } = state;
  if (tool === "paint" || tool === "erase") return brushAt(state, stage, point, word);
  const handle = handleUnder(state, stage, pointer, point);
  if (handle) return { gesture: handleGesture(sceneOf(state, stage, word), state.selection, handle) };
  if (tool !== "select") {
    return { gesture: drawGesture(sceneOf(state, stage, word), tool, point), after: { tool: "select" } };
  }
  const selection = regionUnder(state, point)?.name ?? null;
  const scene = sceneOf({ ...state, selection }, stage, word);
  if (selection) return { selection, gesture: moveGesture(scene, selection, point) };
  if (state.view.zoom > 1) return { selection, pan: state.view };
  return { selection, gesture: drawGesture(scene, "box", point) };
}

function brushAt(state, stage, point, word) {
  const erase = state.tool === "erase";
  const under = () => regionAt(state.document.regions, point, aspectOf(state));
  const region = selected(state) ?? (erase ? under() : null);
  if (region?.locked || (erase && !region)) return {};
  const scene = sceneOf(state, stage, word);
  return { gesture: brushGesture(scene, region?.name ?? null, point, { ...state.brush, erase }), atOnce: true };
}

/** The region that a press would move: what is selected goes before what covers it. */
export function regionUnder(state, point) {
  const aspect = aspectOf(state);
  const chosen = selected(state);
  if (chosen && !chosen.locked && covers(chosen, point, aspect)) return chosen;
  return regionAt(state.document.regions, point, aspect);
}

/** The handle of the selected region that a press would drag, or null. */
export function handleUnder(state, stage, pointer, point) {
  const scale = scaleOf(state.view, stage, aspectOf(state));
  const reach = (REACH[pointer] ?? REACH.mouse) / scale;
  return handleAt(selected(state), point, aspectOf(state), reach, STEM / scale);
}

function sceneOf(state, stage, word) {
  const aspect = aspectOf(state);
  return {
    document: state.document,
    aspect,
    lines: snapLines(state.document.regions, state.selection, aspect),
    reach: SNAP / scaleOf(state.view, stage, aspect),
    snapping: state.snapping,
    word,
  };
}
