/** Edges and middles that jump to those of the picture and of other regions. */

import { bounds } from "./geometry.mjs";

const OF_THE_PICTURE = [0, 1 / 3, 1 / 2, 2 / 3, 1];

/** { x, y }: the places that edges can jump to, without those of the region `except`. */
export function snapLines(regions, except, aspect) {
  const lines = { x: [...OF_THE_PICTURE], y: [...OF_THE_PICTURE] };
  for (const region of regions) {
    if (region.name === except) continue;
    const { left, top, right, bottom } = bounds(region, aspect);
    lines.x.push(left, (left + right) / 2, right);
    lines.y.push(top, (top + bottom) / 2, bottom);
  }
  return lines;
}

/** { by, line }: the smallest shift that brings one of `places` onto one of `lines`; within `reach`, else by 0 and line null. */
export function snap(places, lines, reach) {
  let best = { by: 0, line: null };
  let nearest = reach;
  for (const place of places) {
    for (const line of lines) {
      const distance = Math.abs(line - place);
      if (distance <= nearest && (best.line === null || distance < nearest)) {
        nearest = distance;
        best = { by: line - place, line };
      }
    }
  }
  return best;
}

/** { right, down, guides }: the shift that snaps a region's edges and middle; `reach` in picture heights. */
export function snapRegion(region, lines, reach, aspect) {
  const { left, top, right, bottom } = bounds(region, aspect);
  const across = snap([left, (left + right) / 2, right], lines.x, reach / aspect);
  const down = snap([top, (top + bottom) / 2, bottom], lines.y, reach);
  return { right: across.by, down: down.by, guides: guides(across.line, down.line) };
}

/** { point, guides }: a point snapped along the axes that count. */
export function snapPoint(point, lines, reach, aspect, axes = { x: true, y: true }) {
  const across = axes.x ? snap([point.x], lines.x, reach / aspect) : { by: 0, line: null };
  const down = axes.y ? snap([point.y], lines.y, reach) : { by: 0, line: null };
  return { point: { x: point.x + across.by, y: point.y + down.by }, guides: guides(across.line, down.line) };
}

function guides(x, y) {
  return [...(x === null ? [] : [{ x }]), ...(y === null ? [] : [{ y }])];
}
