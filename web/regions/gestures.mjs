/**
 * What dragging does. A gesture is begun at a point and told where the pointer is; it answers with what to show:
 * { document, selection, guides }. Nothing is kept until the pointer is lifted.
 * A scene is { document, aspect, lines, reach, snapping, word }: lines to snap to, and from how far, in picture heights.
 */

import { blank, fromRegion, strokeLine, toRegion } from "./bitmap.mjs";
import { add, change, find, remove } from "./edits.mjs";
import { boxBetween, HANDLES, moved, resized, SMALLEST, turned } from "./geometry.mjs";
import { snapPoint, snapRegion } from "./snapping.mjs";

const TURN_STEP = 15;
const NO_SNAP = { right: 0, down: 0, guides: [] };

/** Move a region, along one axis with Shift. */
export function moveGesture(scene, name, start) {
  const region = find(scene.document, name);
  return (point, { shift, alt } = {}) => {
    let [right, down] = [point.x - start.x, point.y - start.y];
    if (shift) [right, down] = Math.abs(right * scene.aspect) > Math.abs(down) ? [right, 0] : [0, down];
    const free = moved(region, right, down);
    const by = snaps(scene, alt) ? snapRegion(free, scene.lines, scene.reach, scene.aspect) : NO_SNAP;
    const at = moved(free, by.right, by.down);
    return { document: change(scene.document, name, { x: at.x, y: at.y }), selection: name, guides: by.guides };
  };
}

/** Drag a handle: in proportion with Shift, about the middle with Ctrl; "turn" turns, in steps with Shift. */
export function handleGesture(scene, name, handle) {
  const region = find(scene.document, name);
  if (handle === "turn") {
    return (point, { shift } = {}) => {
      const free = turned(region, point, scene.aspect, shift ? TURN_STEP : 0);
      const upright = Math.round(free.rotation / 90) * 90;
      const near = scene.snapping && !shift && Math.abs(free.rotation - upright) < 3;
      const rotation = near ? upright : free.rotation;
      return { document: change(scene.document, name, { rotation }), selection: name, guides: [] };
    };
  }
  const axes = { x: HANDLES[handle][0] !== 0, y: HANDLES[handle][1] !== 0 };
  return (free, { shift, ctrl, alt } = {}) => {
    const upright = region.rotation % 90 === 0;
    const { point, guides } = snaps(scene, alt) && upright && !shift
      ? snapPoint(free, scene.lines, scene.reach, scene.aspect, axes)
      : { point: free, guides: [] };
    const at = resized(region, handle, point, scene.aspect, { keepShape: shift, fromMiddle: ctrl });
    const { x, y, width, height } = at;
    return { document: change(scene.document, name, { x, y, width, height }), selection: name, guides };
  };
}

/** Draw a new box or ellipse, a square or a circle with Shift. A click without a drag draws nothing. */
export function drawGesture(scene, shape, free) {
  const first = snapPoint(free, scene.lines, scene.snapping ? scene.reach : -1, scene.aspect).point;
  return (at, { shift, alt } = {}) => {
    const reach = snaps(scene, alt) && !shift ? scene.reach : -1;
    const { point, guides } = snapPoint(at, scene.lines, reach, scene.aspect);
    const box = boxBetween(first, shift ? squared(first, point, scene.aspect) : point);
    if (box.width < SMALLEST || box.height < SMALLEST || isOutside(box)) return { document: scene.document, guides: [] };
    const [document, selection] = add(scene.document, { shape, ...box }, scene.word);
    return { document, selection, guides };
  };
}

function squared(from, to, aspect) {
  const side = Math.max(Math.abs(to.x - from.x) * aspect, Math.abs(to.y - from.y));
  return { x: from.x + (Math.sign(to.x - from.x) * side) / aspect, y: from.y + Math.sign(to.y - from.y) * side };
}

function isOutside({ x, y, width, height }) {
  return x >= 1 || y >= 1 || x + width <= 0 || y + height <= 0;
}

function snaps(scene, alt) {
  return scene.snapping && !alt;
}

/**
 * Paint or erase. `brush` is { size, feather, erase }: size is the diameter in parts of the picture's shorter side.
 * A region of another shape becomes painted; without one, paint makes a new region. Erased whole, a region goes.
 */
export function brushGesture(scene, name, start, brush) {
  const old = name ? find(scene.document, name) : null;
  const bitmap = old ? fromRegion(old, scene.aspect) : blank(scene.aspect);
  const radius = Math.max((brush.size / 2) * Math.min(bitmap.width, bitmap.height), 0.75);
  let last = start;
  return (point, { lifted } = {}) => {
    strokeLine(bitmap, last, point, radius, brush.erase ? 0 : 1);
    last = point;
    return painted(scene, old, lifted ? toRegion(bitmap) : whole(bitmap), brush);
  };
}

/** A bitmap over the whole picture while the stroke lasts: a new object each time, so that it is drawn anew. */
function whole(bitmap) {
  return { x: 0, y: 0, width: 1, height: 1, mask: { ...bitmap } };
}

function painted(scene, old, place, { feather, erase }) {
  if (!place) return { document: old ? remove(scene.document, old.name) : scene.document, selection: null, guides: [] };
  const looks = { shape: "mask", rotation: 0, ...place, ...(erase ? {} : { feather }) };
  if (old) return { document: change(scene.document, old.name, looks), selection: old.name, guides: [] };
  if (erase) return { document: scene.document, selection: null, guides: [] };
  const [document, selection] = add(scene.document, { ...looks, feather }, scene.word);
  return { document, selection, guides: [] };
}
