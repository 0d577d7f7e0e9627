/** People on the board: a region each, with photos and words under "person"; nodes/board/board_value.py reads the same. */

import { COLOURS, freeColour } from "../regions/colours.mjs";
import { change, find, rename } from "../regions/edits.mjs";
import { keptInside } from "../regions/geometry.mjs";
import { uniqueName } from "../regions/names.mjs";

export const MOST_PEOPLE = 8;
export const MOST_PHOTOS = 8;
const NOBODY = { photos: [], prompt: "", negative: "", strength: 1, start: 0, end: 1, whole: false };
const TIGHT = 0.25; // of a new place: covered more, the others make room
const STEP = 0.02;

/** Who stands in a region, with everything that was left out. */
export function personOf(region) {
  const given = region?.extra?.person;
  return { ...NOBODY, ...(given && typeof given === "object" && !Array.isArray(given) ? given : {}) };
}

export const isEmpty = (region) => personOf(region).photos.length === 0;

/** Whether somebody's place has words, which act without a photo too. */
export const hasWords = (region) => Boolean(personOf(region).prompt || personOf(region).negative);

/** A document with changes to the person of a region; what is as at first is not written. */
export function changePerson(document, name, changes) {
  const region = find(document, name);
  if (!region) return document;
  const person = { ...personOf(region), ...changes };
  const kept = Object.fromEntries(Object.entries(person).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(NOBODY[key])));
  return change(document, name, { extra: { ...region.extra, person: kept } });
}

/** Photos given to a person: added to theirs, or in place of them. */
export function givePhotos(document, name, photos, replace = false) {
  const old = replace ? [] : personOf(find(document, name)).photos;
  const fresh = photos.filter(({ file }) => !old.some((photo) => photo.file === file));
  return changePerson(document, name, { photos: [...old, ...fresh].slice(0, MOST_PHOTOS), ...(replace ? { whole: false } : {}) });
}

export function takePhoto(document, name, file) {
  return changePerson(document, name, { photos: personOf(find(document, name)).photos.filter((photo) => photo.file !== file) });
}

/** A point near the face that is meant on one of a person's photos. */
export function pointAtFace(document, name, file, face) {
  const photos = personOf(find(document, name)).photos.map((photo) => (photo.file === file ? { ...photo, face } : photo));
  return changePerson(document, name, { photos });
}

const NO_NAMES = /^(img|image|photo|picture|pic|screenshot|screen shot|download|pasted|untitled|portrait|face|dsc|pxl|whatsapp)/i;

/** What a photo's file says of who is on it: "mum at the lake.jpg" does, "IMG_2041.jpg" does not; empty then. */
export function nameFrom(file) {
  const stem = file.replace(/\.\w+$/, "").replace(/[_-]+/g, " ").trim();
  return stem.length <= 32 && /^\p{L}[\p{L}\p{M} .']*$/u.test(stem) && !NO_NAMES.test(stem) ? stem : "";
}

/** [document, name]: a place that nobody named is named after the photo that it gets, where the file has a name. */
export function namedAfter(document, name, photo, word) {
  const unnamed = new RegExp(`^(${word}|person) \\d+$`, "u").test(name);
  const wanted = unnamed ? nameFrom(photo.name) : "";
  return wanted ? rename(document, name, wanted) : [document, name];
}

/** Two people change places: each keeps name, photos and words. */
export function swap(document, one, other) {
  const [a, b] = [find(document, one), find(document, other)];
  if (!a || !b || a === b) return document;
  const placeOf = ({ shape, x, y, width, height, rotation, feather, mask }) => ({ shape, x, y, width, height, rotation, feather, mask });
  return change(change(document, one, placeOf(b)), other, placeOf(a));
}

/**
 * [document, names]: photos put on free ground: places where nobody is yet are filled from the front, then people are
 * added beside the others, as many as there can be.
 */
export function addPeople(document, photos, word) {
  const names = [];
  let into = document;
  for (const photo of photos) {
    let name = into.regions.find((region) => isEmpty(region) && !region.locked && !hasWords(region))?.name ?? null;
    if (!name) [into, name] = addPlace(into, word);
    if (!name) break;
    [into, name] = namedAfter(givePhotos(into, name, [photo]), name, photo, word);
    names.push(name);
  }
  return [into, names];
}

/** [document, name]: with a place beside the others, last in depth; unchanged, with null, when the board is full. */
export function addPlace(document, word) {
  if (document.regions.length >= MOST_PEOPLE) return [document, null];
  const name = uniqueName(`${word} ${document.regions.length + 1}`, document.regions);
  const { regions, place } = roomIn(document.regions);
  const added = {
    name, shape: "box", rotation: 0, feather: 0, locked: false, colour: freeColour(regions) ?? COLOURS[0], extra: {},
    ...place, order: 1 + Math.max(-1, ...regions.map(({ order }) => order)),
  };
  return [{ ...document, regions: [...regions, added] }, name];
}

/** Where one more can stand: where they cover others least, or, where it is tight, on the right of all the others. */
function roomIn(regions) {
  const count = regions.length;
  if (!count) return { regions, place: { x: 0.3, y: 0.08, width: 0.4, height: 0.84 } };
  const mean = (key) => regions.reduce((sum, region) => sum + region[key], 0) / count;
  const width = Math.min(mean("width"), 0.9);
  const box = { width, height: Math.min(mean("height"), 0.96), y: Math.min(Math.max(mean("y"), 0), 0.5) };
  const spots = [];
  for (let x = STEP; x + width <= 1 - STEP / 2; x += STEP) spots.push({ ...box, x });
  const covered = (spot) => regions.reduce((sum, region) => sum + shared(spot, region), 0) / (spot.width * spot.height);
  const best = spots.sort((a, b) => covered(a) - covered(b))[0];
  if (best && (covered(best) <= TIGHT || regions.some(({ locked }) => locked))) return { regions, place: keptInside(best) };
  const share = count / (count + 1);
  const squeezed = regions.map((region) => ({ ...region, x: region.x * share, width: region.width * share }));
  return { regions: squeezed, place: keptInside({ ...box, x: share + 0.04 * (1 - share), width: 0.92 * (1 - share) }) };
}

function shared(a, b) {
  const wide = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const high = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return Math.max(wide, 0) * Math.max(high, 0);
}

/** The list from front to back: sorted by depth, each with a depth of its own; no more people than there can be. */
export function inOrder(document) {
  const sorted = document.regions.map((region, index) => ({ region, index }))
    .sort((a, b) => a.region.order - b.region.order || a.index - b.index);
  const regions = sorted.slice(0, MOST_PEOPLE).map(({ region }, order) => (region.order === order ? region : { ...region, order }));
  const same = regions.length === document.regions.length && regions.every((region, index) => region === document.regions[index]);
  return { ...document, regions: same ? document.regions : regions, extra: { board: 1, ...document.extra } };
}

/** A person moved to a place of the list, which is their depth. */
export function reorder(document, name, to) {
  const regions = [...document.regions];
  const from = regions.findIndex((region) => region.name === name);
  if (from < 0 || from === to) return document;
  regions.splice(to, 0, ...regions.splice(from, 1));
  return { ...document, regions: regions.map((region, order) => ({ ...region, order })) };
}
