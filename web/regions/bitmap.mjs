/** Painting on masks: bitmaps of 0 and 1 over the whole picture, cut down to what is painted when they are kept. */

import { covers } from "./hits.mjs";
import { encodePng, LONGEST_SIDE, MOST_BYTES } from "./png.mjs";

/** An empty bitmap over a picture of some aspect, with square pixels. */
export function blank(aspect) {
  const width = aspect >= 1 ? LONGEST_SIDE : Math.max(1, Math.round(LONGEST_SIDE * aspect));
  const height = aspect >= 1 ? Math.max(1, Math.round(LONGEST_SIDE / aspect)) : LONGEST_SIDE;
  return { width, height, pixels: new Uint8Array(width * height) };
}

/** A region, of whatever shape, as a bitmap over the picture; what lies outside of the picture is lost. */
export function fromRegion(region, aspect) {
  const bitmap = blank(aspect);
  for (let y = 0; y < bitmap.height; y++) {
    for (let x = 0; x < bitmap.width; x++) {
      const point = { x: (x + 0.5) / bitmap.width, y: (y + 0.5) / bitmap.height };
      if (covers(region, point, aspect)) bitmap.pixels[y * bitmap.width + x] = 1;
    }
  }
  return bitmap;
}

/** Set every pixel within `radius` (in pixels) of the line between two points of the picture, in place. */
export function strokeLine(bitmap, from, to, radius, value) {
  const { width, height, pixels } = bitmap;
  const a = { x: from.x * width, y: from.y * height };
  const b = { x: to.x * width, y: to.y * height };
  const [first, last] = [Math.floor(Math.min(a.y, b.y) - radius), Math.ceil(Math.max(a.y, b.y) + radius)];
  const [left, right] = [Math.floor(Math.min(a.x, b.x) - radius), Math.ceil(Math.max(a.x, b.x) + radius)];
  for (let y = Math.max(first, 0); y < Math.min(last, height); y++) {
    for (let x = Math.max(left, 0); x < Math.min(right, width); x++) {
      if (distanceToLine(x + 0.5, y + 0.5, a, b) <= radius) pixels[y * width + x] = value;
    }
  }
}

function distanceToLine(x, y, a, b) {
  const [right, down] = [b.x - a.x, b.y - a.y];
  const length = right * right + down * down;
  const along = length ? Math.min(Math.max(((x - a.x) * right + (y - a.y) * down) / length, 0), 1) : 0;
  return Math.hypot(x - a.x - along * right, y - a.y - along * down);
}

/** { x, y, width, height, mask }: the painted part of a bitmap over the picture; null when nothing is painted. */
export function toRegion(bitmap) {
  const { width, height, pixels } = bitmap;
  let [left, top, right, bottom] = [width, height, 0, 0];
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      if (!pixels[y * width + x]) continue;
      [left, top] = [Math.min(left, x), Math.min(top, y)];
      [right, bottom] = [Math.max(right, x + 1), Math.max(bottom, y + 1)];
    }
  }
  if (right <= left) return null;
  const box = { x: left / width, y: top / height, width: (right - left) / width, height: (bottom - top) / height };
  return { ...box, mask: smallEnough(cut(bitmap, left, top, right - left, bottom - top)) };
}

function cut(bitmap, left, top, width, height) {
  const pixels = new Uint8Array(width * height);
  for (let y = 0; y < height; y++) {
    const start = (top + y) * bitmap.width + left;
    pixels.set(bitmap.pixels.subarray(start, start + width), y * width);
  }
  return { width, height, pixels };
}

/** The mask, or a coarser one, so that its file is not larger than a text may hold. */
function smallEnough(mask) {
  let fitting = mask;
  for (let size = 0.9; encodePng(fitting).length > MOST_BYTES; size *= 0.9) fitting = coarser(mask, size);
  return fitting;
}

function coarser({ width, height, pixels }, size) {
  const small = { width: Math.ceil(width * size), height: Math.ceil(height * size) };
  const out = new Uint8Array(small.width * small.height);
  for (let y = 0; y < small.height; y++) {
    const row = Math.floor(((y + 0.5) * height) / small.height) * width;
    for (let x = 0; x < small.width; x++) {
      out[y * small.width + x] = pixels[row + Math.floor(((x + 0.5) * width) / small.width)];
    }
  }
  return { ...small, pixels: out };
}
