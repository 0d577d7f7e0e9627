/** Boxes that turn: all in fractions of the picture, of which `aspect` is the width over the height. */

export const SMALLEST = 0.01;
export const HANDLES = {
  nw: [-1, -1], n: [0, -1], ne: [1, -1], e: [1, 0], se: [1, 1], s: [0, 1], sw: [-1, 1], w: [-1, 0],
};

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

/** The middle of a region. */
export function centre({ x, y, width, height }) {
  return { x: x + width / 2, y: y + height / 2 };
}

/** A point as the region sees it: from its middle, unturned, in picture heights. */
export function toLocal(region, point, aspect) {
  const middle = centre(region);
  const [right, down] = [(point.x - middle.x) * aspect, point.y - middle.y];
  const [cos, sin] = cosSin(region.rotation);
  return { u: right * cos + down * sin, v: down * cos - right * sin };
}

/** The opposite of toLocal. */
export function fromLocal(region, { u, v }, aspect) {
  const middle = centre(region);
  const [cos, sin] = cosSin(region.rotation);
  return { x: middle.x + (u * cos - v * sin) / aspect, y: middle.y + u * sin + v * cos };
}

function cosSin(degrees) {
  const angle = (degrees * Math.PI) / 180;
  return [Math.cos(angle), Math.sin(angle)];
}

/** Where a handle sits: a corner, or the middle of a side. */
export function handlePoint(region, handle, aspect) {
  const [side, end] = HANDLES[handle];
  return fromLocal(region, { u: (side * region.width * aspect) / 2, v: (end * region.height) / 2 }, aspect);
}

/** Where the handle for turning sits: `distance` picture heights above the upper side. */
export function turnPoint(region, distance, aspect) {
  return fromLocal(region, { u: 0, v: -region.height / 2 - distance }, aspect);
}

/** { left, top, right, bottom } of a region as it is turned. */
export function bounds(region, aspect) {
  const corners = ["nw", "ne", "se", "sw"].map((handle) => handlePoint(region, handle, aspect));
  const [xs, ys] = [corners.map(({ x }) => x), corners.map(({ y }) => y)];
  return { left: Math.min(...xs), top: Math.min(...ys), right: Math.max(...xs), bottom: Math.max(...ys) };
}

/** The region within what the text can hold, and with some of it in the picture. */
export function keptInside(region) {
  const width = clamp(region.width, SMALLEST, 4);
  const height = clamp(region.height, SMALLEST, 4);
  const seen = SMALLEST;
  return {
    ...region,
    width,
    height,
    x: clamp(region.x, Math.max(seen - width, -4), 1 - seen),
    y: clamp(region.y, Math.max(seen - height, -4), 1 - seen),
  };
}

export function moved(region, right, down) {
  return keptInside({ ...region, x: region.x + right, y: region.y + down });
}

/** The region with `handle` dragged to `point`; what lies opposite stays, or the middle does with `fromMiddle`. */
export function resized(region, handle, point, aspect, { keepShape = false, fromMiddle = false } = {}) {
  const [side, end] = HANDLES[handle];
  const half = { u: (region.width * aspect) / 2, v: region.height / 2 };
  const at = toLocal(region, point, aspect);
  const anchor = fromMiddle ? { u: 0, v: 0 } : { u: -side * half.u, v: -end * half.v };
  const share = fromMiddle ? 2 : 1;
  let width = side ? Math.max((at.u - anchor.u) * side * share, SMALLEST * aspect) : half.u * 2;
  let height = end ? Math.max((at.v - anchor.v) * end * share, SMALLEST) : half.v * 2;
  if (keepShape) [width, height] = inProportion(half.u / half.v, width, height, side, end);
  const middle = fromMiddle ? anchor : { u: anchor.u + (side * width) / 2, v: anchor.v + (end * height) / 2 };
  const { x, y } = fromLocal(region, middle, aspect);
  return keptInside({ ...region, x: x - width / aspect / 2, y: y - height / 2, width: width / aspect, height });
}

function inProportion(ratio, width, height, side, end) {
  if (!end || (side && width / ratio > height)) return [width, width / ratio];
  return [height * ratio, height];
}

/** The region turned so that its upper side faces `point`; to whole multiples of `step` degrees where one is given. */
export function turned(region, point, aspect, step = 0) {
  const middle = centre(region);
  const angle = (Math.atan2((point.x - middle.x) * aspect, middle.y - point.y) * 180) / Math.PI;
  return turnedBy(region, (step ? Math.round(angle / step) * step : angle) - region.rotation);
}

/** The region turned by some degrees; the result lies between -180 and 180. */
export function turnedBy(region, degrees) {
  const sum = region.rotation + degrees;
  const rotation = ((((sum + 180) % 360) + 360) % 360) - 180;
  return { ...region, rotation: Math.round(rotation * 100) / 100 || 0 };
}

/** The box between two points. */
export function boxBetween(from, to) {
  return {
    x: Math.min(from.x, to.x),
    y: Math.min(from.y, to.y),
    width: Math.abs(to.x - from.x),
    height: Math.abs(to.y - from.y),
  };
}
