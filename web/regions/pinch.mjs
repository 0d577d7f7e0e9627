/** Two fingers on the stage: what is between them stays between them. */

import { pannedBy, zoomedAt } from "./zoom.mjs";

/** The view after two fingers went from the points `before` to the points `after`, in pixels of the stage. */
export function pinched(view, before, after, stage, aspect) {
  const span = ([a, b]) => Math.hypot(a.x - b.x, a.y - b.y) || 1;
  const middle = ([a, b]) => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
  const [from, to] = [middle(before), middle(after)];
  const moved = pannedBy(view, to.x - from.x, to.y - from.y, stage, aspect);
  return zoomedAt(moved, span(after) / span(before), to, stage, aspect);
}
