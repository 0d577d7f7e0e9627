/** Names of regions: what a text may hold, and each only once. */

import { LONGEST_NAME, UNWANTED_IN_NAMES } from "./fields.mjs";

/** A name that the text can hold; empty if nothing of it can be kept. */
export function cleanName(name) {
  const kept = name.replace(/[\p{Zl}\p{Zp}\p{Zs}\n\r\t]+/gu, " ").replace(UNWANTED_IN_NAMES, "").trim();
  return [...kept].slice(0, LONGEST_NAME).join("").trim();
}

/** The name, or the name with the first number that makes it one of its own. */
export function uniqueName(name, regions, except = null) {
  const taken = new Set(regions.map((region) => region.name).filter((other) => other !== except));
  if (!taken.has(name)) return name;
  const stem = name.replace(/ \d+$/, "");
  for (let number = 2; ; number++) {
    const end = ` ${number}`;
    const candidate = [...stem].slice(0, LONGEST_NAME - end.length).join("") + end;
    if (!taken.has(candidate)) return candidate;
  }
}
