// Changes to the list of regions.

import assert from "node:assert/strict";
import { test } from "node:test";

import { decodeRegions, encodeRegions, MOST_REGIONS } from "../../../web/regions/codec.mjs";
import { COLOURS, readableOn } from "../../../web/regions/colours.mjs";
import * as edits from "../../../web/regions/edits.mjs";
import { backToFront } from "../../../web/regions/hits.mjs";
import { cleanName, uniqueName } from "../../../web/regions/names.mjs";
import { PRESETS } from "../../../web/regions/presets.mjs";

const PLACE = { x: 0.1, y: 0.1, width: 0.3, height: 0.5 };

function people(...names) {
  return names.reduce((document, name) => edits.add(document, PLACE, name)[0], { regions: [], extra: {} });
}
const names = (document) => document.regions.map(({ name }) => name);
const frontToBack = (document) => backToFront(document.regions).map(({ name }) => name).reverse();

test("a new region stands in front, with a name and a colour of its own", () => {
  const document = people("Ada", "Ada", "Ben");
  assert.deepEqual(names(document), ["Ada", "Ada 2", "Ben"]);
  assert.deepEqual(frontToBack(document), ["Ben", "Ada 2", "Ada"]);
  assert.equal(new Set(document.regions.map(({ colour }) => colour)).size, 3);
});

test("there is a limit, and at it nothing changes", () => {
  let document = { regions: [], extra: {} };
  for (let i = 0; i < MOST_REGIONS; i++) [document] = edits.add(document, PLACE, "p");
  assert.deepEqual(edits.add(document, PLACE, "one more"), [document, null]);
});

test("a copy has another name and colour, lies aside, and is not locked", () => {
  const document = edits.change(people("Ada"), "Ada", { locked: true });
  const [after, name] = edits.duplicate(document, "Ada");
  const copy = edits.find(after, name);
  assert.equal(name, "Ada 2");
  assert.notEqual(copy.colour, document.regions[0].colour);
  assert.notEqual(copy.x, PLACE.x);
  assert.equal(copy.locked, false);
});

test("depth moves by one place or to an end, and the list stays", () => {
  const document = people("a", "b", "c");
  assert.deepEqual(frontToBack(edits.moveInDepth(document, "a", 1)), ["c", "a", "b"]);
  assert.deepEqual(frontToBack(edits.moveInDepth(document, "c", -Infinity)), ["b", "a", "c"]);
  assert.deepEqual(frontToBack(edits.moveInDepth(document, "a", Infinity)), ["a", "c", "b"]);
  assert.equal(edits.moveInDepth(document, "c", 1), document);
  assert.deepEqual(names(edits.moveInDepth(document, "a", 1)), ["a", "b", "c"]);
});

test("the list is put in another order without touching depth", () => {
  const document = people("a", "b", "c");
  const after = edits.moveInList(document, "c", -1);
  assert.deepEqual(names(after), ["a", "c", "b"]);
  assert.deepEqual(frontToBack(after), frontToBack(document));
  assert.deepEqual(names(edits.moveInList(document, "a", -5)), ["a", "b", "c"]);
});

test("a name is cleaned, made unique, and never empty", () => {
  const document = people("Ada", "Ben");
  assert.deepEqual(edits.rename(document, "Ben", " <b>Ada</b>\n")[1], "bAda/b");
  assert.deepEqual(edits.rename(document, "Ben", "Ada")[1], "Ada 2");
  assert.deepEqual(edits.rename(document, "Ben", "Ben")[1], "Ben");
  assert.deepEqual(edits.rename(document, "Ben", "<>")[1], "Ben");
  assert.equal([...cleanName("x".repeat(99))].length, 64);
  assert.equal([...uniqueName("x".repeat(64), [{ name: "x".repeat(64) }])].length, 64);
});

test("every arrangement can be written and read, and keeps the names that were there", () => {
  for (const [key, places] of Object.entries(PRESETS)) {
    const document = edits.arrange(people("Ada", "Ben"), places, "person");
    assert.equal(document.regions.length, places.length, key);
    assert.deepEqual(names(document).slice(0, 2), ["Ada", "Ben"]);
    assert.deepEqual(document.regions.map(({ order }) => order), places.map(({ order }) => order));
    const read = decodeRegions(encodeRegions(document)).regions;
    assert.deepEqual(names({ regions: read }), names(document));
  }
});

test("pasted regions get names of their own", () => {
  const document = people("Ada");
  const [after, pasted] = edits.paste(document, people("Ada", "Ben").regions);
  assert.deepEqual(pasted, ["Ada 2", "Ben"]);
  assert.deepEqual(names(after), ["Ada", "Ada 2", "Ben"]);
});

test("a region of another shape keeps everything but its mask", () => {
  const mask = { width: 1, height: 1, pixels: Uint8Array.of(1) };
  const document = edits.change(people("Ada"), "Ada", { shape: "mask", mask });
  const region = edits.find(edits.reshape(document, "Ada", "ellipse"), "Ada");
  assert.equal(region.shape, "ellipse");
  assert.ok(!("mask" in region));
});

test("every colour has a text that can be read on it", () => {
  assert.ok(COLOURS.every((colour) => readableOn(colour) === "#ffffff" || readableOn(colour) === "#111111"));
  assert.equal(readableOn("#ffff00"), "#111111");
  assert.equal(readableOn("#000080"), "#ffffff");
});
