/** One region of a Draw Regions text, checked field by field; nodes/regions/region_fields.py says the same sentences. */

import { colourAt } from "./colours.mjs";
import { decodePng, MOST_BYTES } from "./png.mjs";

export const SHAPES = ["box", "ellipse", "mask"];
export const LONGEST_NAME = 64;
export const NUMBERS = {
  x: { low: -4, high: 4 },
  y: { low: -4, high: 4 },
  width: { low: 1e-4, high: 8 },
  height: { low: 1e-4, high: 8 },
  rotation: { low: -360, high: 360, default: 0 },
  order: { low: -1000, high: 1000, default: 0 },
  feather: { low: 0, high: 0.25, default: 0 },
};
export const EXAMPLE = '{"version": 2, "regions": [{"name": "Ada", "x": 0.05, "y": 0.1, "width": 0.4, "height": 0.85}]}';
const KNOWN = new Set(["name", "shape", ...Object.keys(NUMBERS), "colour", "locked", "mask"]);

/** The text of a Draw Regions node is not a list of regions; the message names the region at fault. */
export class RegionTextError extends Error {}

/** Signs that a name cannot have: those that cannot be seen, and those that HTML begins with. */
export const UNWANTED_IN_NAMES = /[\p{C}\p{Zl}\p{Zp}<>]|(?! )\p{Zs}/gu;

/** A region as the canvas keeps it. `index` chooses its colour if it has none. Throws a RegionTextError. */
export function readRegion(entry, index) {
  let where = `region ${index + 1}`;
  if (!isDictionary(entry)) fail(`${where} is ${shown(entry)}, it should be a dictionary as in ${EXAMPLE}`);
  const name = readName(entry.name, where);
  where += ` ('${name}')`;
  const shape = entry.shape === undefined ? "box" : entry.shape;
  if (!SHAPES.includes(shape)) fail(`the shape of ${where} is ${shown(shape)}, it can be ${SHAPES.join(", ")}.`);
  const region = { name, shape };
  for (const [key, limits] of Object.entries(NUMBERS)) region[key] = readNumber(entry[key], key, where, limits);
  Object.assign(region, readLooks(entry, where, index));
  if (shape === "mask") region.mask = readMask(entry, where);
  if (region.x >= 1 || region.y >= 1 || region.x + region.width <= 0 || region.y + region.height <= 0) {
    fail(`${where} lies outside of the picture, which spans 0 to 1 both ways. Move it inside.`);
  }
  region.extra = Object.fromEntries(Object.entries(entry).filter(([key]) => !KNOWN.has(key)));
  return region;
}

export function fail(problem) {
  throw new RegionTextError(`Troupe, Draw Regions: ${problem}`);
}

export function isDictionary(value) {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A value as a message can show it: as JSON, short, and on one line. */
export function shown(value) {
  if (Array.isArray(value)) return "a list";
  if (isDictionary(value)) return "a dictionary";
  if (typeof value === "number" && Math.abs(value) >= 1e15) return "a huge number";
  const text = JSON.stringify(value ?? null);
  return text.length <= 40 ? text : `${text.slice(0, 37)}...`;
}

function readName(value, where) {
  if (typeof value !== "string" || !value.trim()) {
    fail(`${where} has the name ${shown(value)}, it needs a text, for instance 'Ada'.`);
  }
  const name = value.trim();
  const length = [...name].length;
  if (length > LONGEST_NAME) {
    fail(`the name of ${where} has ${length} characters, at most ${LONGEST_NAME} are possible.`);
  }
  if (name.search(UNWANTED_IN_NAMES) >= 0) {
    fail(`the name of ${where} is ${shown(name)}. Leave out < and > and line breaks.`);
  }
  return name;
}

function readNumber(given, key, where, { low, high, default: missing }) {
  const value = given ?? missing;
  if (value === undefined) fail(`${where} has no '${key}'. It should look like ${EXAMPLE}`);
  if (typeof value !== "number") fail(`'${key}' of ${where} is ${shown(value)}, it should be a number.`);
  if (!Number.isFinite(value)) {
    fail(`'${key}' of ${where} is not a finite number. Use a number from ${low} to ${high}.`);
  }
  if (value < low || value > high) fail(`'${key}' of ${where} is ${shown(value)}, it should be from ${low} to ${high}.`);
  if (key === "order" && !Number.isInteger(value)) {
    fail(`'order' of ${where} is ${value}, it should be a whole number.`);
  }
  return value;
}

function readLooks(entry, where, index) {
  const colour = entry.colour ?? colourAt(index);
  if (typeof colour !== "string" || !/^#[0-9a-f]{6}$/i.test(colour)) {
    fail(`the colour of ${where} is ${shown(colour)}, it should be like "#d8437f".`);
  }
  const locked = entry.locked === undefined ? false : entry.locked;
  if (typeof locked !== "boolean") fail(`'locked' of ${where} is ${shown(locked)}, it should be true or false.`);
  return { colour, locked };
}

function readMask(entry, where) {
  if (typeof entry.mask !== "string") {
    fail(`${where} has the shape "mask", but its 'mask' is ${shown(entry.mask)} and not a PNG file.`);
  }
  if (entry.rotation) fail(`${where} is painted and has a rotation; a painting cannot be turned. Set it to 0.`);
  try {
    return decodePng(fromBase64(entry.mask));
  } catch (error) {
    return fail(`the mask of ${where} ${error.message}.`);
  }
}

function fromBase64(text) {
  if (text.length > Math.ceil(MOST_BYTES / 3) * 4) {
    throw new Error(`takes more than ${MOST_BYTES} bytes; paint it again, or at a smaller size`);
  }
  if (text.length % 4 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) throw new Error("is not base64");
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}
