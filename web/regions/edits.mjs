/** Changes to a document { regions, extra }: each takes one and returns another; a region is meant by its name. */

import { freeColour } from "./colours.mjs";
import { MOST_REGIONS } from "./codec.mjs";
import { SMALLEST } from "./geometry.mjs";
import { backToFront } from "./hits.mjs";
import { cleanName, uniqueName } from "./names.mjs";

const OFFSET = 0.03;

export function find(document, name) {
  return document.regions.find((region) => region.name === name) ?? null;
}

/** One region replaced by what `change` makes of it. */
export function change(document, name, changes) {
  const regions = document.regions.map((region) => (region.name === name ? { ...region, ...changes } : region));
  return { ...document, regions };
}

/** [document, name]: with a region in front of all others; unchanged, with null, when there are as many as can be. */
export function add(document, region, name) {
  if (document.regions.length >= MOST_REGIONS) return [document, null];
  const own = uniqueName(name, document.regions);
  const added = {
    shape: "box", rotation: 0, feather: 0, locked: false, colour: freeColour(document.regions), extra: {}, ...region,
    name: own,
    order: Math.min(0, ...document.regions.map(({ order }) => order)) - 1,
  };
  return [withRanks({ ...document, regions: [...document.regions, added] }), own];
}

export function remove(document, name) {
  return { ...document, regions: document.regions.filter((region) => region.name !== name) };
}

/** [document, name] with a copy of a region, a little aside. */
export function duplicate(document, name) {
  const { colour, ...region } = find(document, name);
  const shift = (at) => (at + OFFSET < 1 - SMALLEST ? at + OFFSET : at - OFFSET);
  return add(document, { ...region, locked: false, x: shift(region.x), y: shift(region.y) }, name);
}

/** [document, name] with another name for a region: cleaned, made unique, and the old one when nothing is left. */
export function rename(document, name, wanted) {
  const cleaned = cleanName(wanted);
  const own = cleaned ? uniqueName(cleaned, document.regions, name) : name;
  return [change(document, name, { name: own }), own];
}

/** A region moved by `steps` in the list, which is the order of the masks. */
export function moveInList(document, name, steps) {
  const regions = [...document.regions];
  const from = regions.findIndex((region) => region.name === name);
  const to = Math.min(Math.max(from + steps, 0), regions.length - 1);
  regions.splice(to, 0, ...regions.splice(from, 1));
  return { ...document, regions };
}

/** A region nearer by one place (`steps` 1), farther by one (-1), or to an end (Infinity). Each gets an order of its own. */
export function moveInDepth(document, name, steps) {
  const stack = backToFront(document.regions);
  const from = stack.findIndex((region) => region.name === name);
  const to = Math.min(Math.max(from + steps, 0), stack.length - 1);
  if (from === to) return document;
  stack.splice(to, 0, ...stack.splice(from, 1));
  const place = new Map(stack.map((region, index) => [region.name, stack.length - 1 - index]));
  return { ...document, regions: document.regions.map((region) => ({ ...region, order: place.get(region.name) })) };
}

/** The same depths as small numbers from 0: equal ones stay equal. */
function withRanks(document) {
  const ranks = [...new Set(document.regions.map(({ order }) => order))].sort((a, b) => a - b);
  return { ...document, regions: document.regions.map((region) => ({ ...region, order: ranks.indexOf(region.order) })) };
}

/** A region as a box or an ellipse; a painting loses its mask. */
export function reshape(document, name, shape) {
  const { mask, ...region } = find(document, name);
  return { ...document, regions: document.regions.map((old) => (old.name === name ? { ...region, shape } : old)) };
}

/** The regions in the places of a preset, keeping names, colours and locks; missing ones are made, others removed. */
export function arrange(document, places, word) {
  const kept = document.regions.slice(0, places.length);
  let arranged = { ...document, regions: [] };
  places.forEach((place, index) => {
    const { mask, ...old } = kept[index] ?? {};
    const name = old.name ?? uniqueName(`${word} ${index + 1}`, kept);
    [arranged] = add(arranged, { ...old, ...place, shape: old.shape === "ellipse" ? "ellipse" : "box", rotation: 0 }, name);
  });
  return { ...arranged, regions: arranged.regions.map((region, index) => ({ ...region, order: places[index].order })) };
}

/** [document, names] with regions of another document added; as many as fit. */
export function paste(document, regions) {
  const names = [];
  let into = document;
  for (const { colour, ...region } of regions) {
    const taken = into.regions.some((other) => other.colour === colour);
    const [next, name] = add(into, taken ? region : { ...region, colour }, region.name);
    into = next;
    if (name) names.push(name);
  }
  return [into, names];
}
