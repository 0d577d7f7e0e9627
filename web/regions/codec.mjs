/** The text of the Draw Regions node, version 2, and what it means; nodes/regions/region_value.py reads the same text. */

import { EXAMPLE, fail, isDictionary, NUMBERS, readRegion, shown } from "./fields.mjs";
import { encodePng } from "./png.mjs";

export { RegionTextError } from "./fields.mjs";
export const VERSION = 2;
export const MOST_REGIONS = 64;
export const LONGEST_TEXT = 1000000;
const NEW_IN_VERSION_2 = ["feather", "colour", "locked", "mask"];
const DECIMALS = 1e5;
const packedMasks = new WeakMap();

/** { regions, extra } of a text; `extra` is what else it holds. Throws a RegionTextError with one sentence. */
export function decodeRegions(text) {
  const value = parse(text);
  if (!isDictionary(value) || !Array.isArray(value.regions)) {
    fail(`the text holds no list of regions. It should look like ${EXAMPLE}`);
  }
  const { version, regions: entries, ...extra } = value;
  if (version !== 1 && version !== VERSION) {
    fail(`the text is of version ${shown(version)}, and this Troupe reads versions 1 to ${VERSION}. Update Troupe.`);
  }
  if (entries.length > MOST_REGIONS) {
    fail(`there are ${entries.length} regions, at most ${MOST_REGIONS} are possible.`);
  }
  const regions = entries.map((entry, index) => readRegion(version === 1 ? fromVersion1(entry) : entry, index));
  refuseEqualNames(regions);
  return { regions, extra };
}

/** The text of { regions, extra }, one region a line. */
export function encodeRegions({ regions, extra = {} }) {
  const rest = Object.entries(extra).map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value)}, `);
  const lines = regions.map((region) => JSON.stringify(entryOf(region)));
  return `{"version": ${VERSION}, ${rest.join("")}"regions": [\n${lines.join(",\n")}\n]}`;
}

function parse(text) {
  const length = [...text].length;
  if (length > LONGEST_TEXT) fail(`the text has ${length} characters, at most ${LONGEST_TEXT} are read.`);
  let value;
  try {
    value = JSON.parse(text);
    JSON.stringify(value); // what is nested too deeply could not be written again
  } catch (error) {
    if (error instanceof RangeError) fail(`the text is nested too deeply. It should look like ${EXAMPLE}`);
    const constant = /-?Infinity|NaN/.exec(text);
    if (constant) {
      fail(`the text holds ${constant[0]}, which is not a number. Use fractions of the picture between 0 and 1.`);
    }
    fail(`the text is not JSON (${error.message}). It should look like ${EXAMPLE}`);
  }
  return value;
}

/** Keys that mean something only since version 2 meant nothing before, whatever they hold. */
function fromVersion1(entry) {
  if (!isDictionary(entry)) return entry;
  return Object.fromEntries(Object.entries(entry).filter(([key]) => !NEW_IN_VERSION_2.includes(key)));
}

function refuseEqualNames(regions) {
  const seen = new Map();
  regions.forEach(({ name }, index) => {
    if (seen.has(name)) {
      fail(
        `regions ${seen.get(name) + 1} and ${index + 1} are both named '${name}'. ` +
          "Give every region a name of its own, because members are bound to regions by name.",
      );
    }
    seen.set(name, index);
  });
}

function entryOf(region) {
  const entry = { name: region.name, shape: region.shape };
  for (const key of Object.keys(NUMBERS)) entry[key] = Math.round(region[key] * DECIMALS) / DECIMALS;
  if (!entry.feather) delete entry.feather;
  entry.colour = region.colour;
  if (region.locked) entry.locked = true;
  if (region.shape === "mask") entry.mask = packed(region.mask);
  return { ...entry, ...region.extra };
}

function packed(mask) {
  if (!packedMasks.has(mask)) packedMasks.set(mask, btoa(String.fromCharCode(...encodePng(mask))));
  return packedMasks.get(mask);
}
