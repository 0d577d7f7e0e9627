/** What lies under a point: regions front to back, and the handles of the selected one. */

import { HANDLES, handlePoint, toLocal, turnPoint } from "./geometry.mjs";

/** Regions from the backmost to the foremost: a smaller order is nearer; of equal ones the earlier in the list. */
export function backToFront(regions) {
  return regions.map((region, index) => ({ region, index }))
    .sort((a, b) => b.region.order - a.region.order || b.index - a.index)
    .map(({ region }) => region);
}

/** Whether a region covers a point. */
export function covers(region, point, aspect) {
  if (region.shape === "mask") return paintedAt(region, point);
  const { u, v } = toLocal(region, point, aspect);
  const [along, across] = [u / ((region.width * aspect) / 2), v / (region.height / 2)];
  if (region.shape === "ellipse") return along ** 2 + across ** 2 < 1;
  return along >= -1 && along < 1 && across >= -1 && across < 1;
}

function paintedAt({ x, y, width, height, mask }, point) {
  const column = Math.floor(((point.x - x) / width) * mask.width);
  const row = Math.floor(((point.y - y) / height) * mask.height);
  if (column < 0 || row < 0 || column >= mask.width || row >= mask.height) return false;
  return mask.pixels[row * mask.width + column] === 1;
}

/** The foremost region that covers a point, or null. Of regions that are locked, none is found. */
export function regionAt(regions, point, aspect) {
  return backToFront(regions).findLast((region) => !region.locked && covers(region, point, aspect)) ?? null;
}

/**
 * The handle of a region within `reach` picture heights of a point: a name of HANDLES, "turn", or null.
 * `stem` is how far the handle for turning sticks out, in picture heights.
 */
export function handleAt(region, point, aspect, reach, stem) {
  if (!region || region.locked) return null;
  const near = (at) => Math.hypot((at.x - point.x) * aspect, at.y - point.y) <= reach;
  if (region.shape !== "mask" && near(turnPoint(region, stem, aspect))) return "turn";
  const corners = ["nw", "ne", "se", "sw"];
  const order = [...corners, ...Object.keys(HANDLES).filter((handle) => !corners.includes(handle))];
  return order.find((handle) => near(handlePoint(region, handle, aspect))) ?? null;
}

const CURSORS = ["ns-resize", "nesw-resize", "ew-resize", "nwse-resize"];

/** The mouse pointer that shows where a handle of a turned region can be dragged. */
export function cursorFor(handle, rotation) {
  if (handle === "turn") return "grab";
  const [side, end] = HANDLES[handle];
  const angle = (Math.atan2(side, -end) * 180) / Math.PI + rotation;
  return CURSORS[((Math.round(angle / 45) % 4) + 4) % 4];
}
