/** Where the names of regions stand: beside their regions, and never on top of each other. */

import { bounds } from "./geometry.mjs";

export const HEIGHT = 18;
const GAP = 1;

/**
 * { name, x, y, width, height } for the labels that have room, in pixels of the stage. `regions` go first to last: the
 * first ones choose. `at` maps a point of the picture to the stage, `widthOf(region)` and `heightOf(region)` say how
 * large a label is, and `first` is a name that is shown whatever else is.
 */
export function placeLabels(regions, { at, aspect, stage, widthOf, heightOf = () => HEIGHT, first = null }) {
  const placed = [];
  const order = [...regions].sort((a, b) => (b.name === first) - (a.name === first));
  for (const region of order) {
    const size = { width: widthOf(region), height: heightOf(region) };
    const free = candidates(region, size, at, aspect, stage).find((spot) => !placed.some((other) => meet(spot, other)));
    if (free) placed.push({ name: region.name, ...free });
  }
  return placed;
}

/** The corners of a region, then down along its sides. */
function candidates(region, { width, height }, at, aspect, stage) {
  const { left, top, right, bottom } = bounds(region, aspect);
  const [from, to] = [at({ x: left, y: top }), at({ x: right, y: bottom })];
  const sides = [from.x, to.x - width];
  const rows = [from.y, to.y - height];
  for (let y = from.y + height + GAP; y < to.y - height; y += HEIGHT + GAP) rows.push(y);
  return rows.flatMap((y) => sides.map((x) => ({
    x: Math.min(Math.max(x, 0), Math.max(stage.width - width, 0)),
    y: Math.min(Math.max(y, 0), Math.max(stage.height - height, 0)),
    width,
    height,
  })));
}

function meet(a, b) {
  return a.x < b.x + b.width + GAP && b.x < a.x + a.width + GAP && a.y < b.y + b.height + GAP && b.y < a.y + a.height + GAP;
}
