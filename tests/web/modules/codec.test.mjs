// The text of Draw Regions as the canvas reads and writes it: the texts of tests/fixtures/region_values.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

import { decodeRegions, encodeRegions, RegionTextError } from "../../../web/regions/codec.mjs";

const fixtures = (name) =>
  JSON.parse(readFileSync(new URL(`../../fixtures/region_values/${name}.json`, import.meta.url), "utf8"));
const textOf = (fixture) =>
  fixture.value === undefined
    ? fixture.text.repeat(fixture.repeat ?? 1) + (fixture.then ?? "").repeat(fixture.repeat ?? 1)
    : JSON.stringify(fixture.value);
const rowsOf = ({ width, height, pixels }) =>
  Array.from({ length: height }, (_, y) => pixels.subarray(y * width, (y + 1) * width).join(""));

for (const fixture of fixtures("good")) {
  test(`a text means its regions: ${fixture.says}`, () => {
    const { regions } = decodeRegions(textOf(fixture));

    const meant = regions.map(({ feather, extra, mask, colour, locked, ...region }, index) => ({
      ...region,
      ...("colour" in fixture.regions[index] ? { colour } : {}),
      ...(locked ? { locked } : {}),
      ...(mask ? { mask: rowsOf(mask) } : {}),
    }));
    assert.deepEqual(meant, fixture.regions.map((region) => ({ ...region })));
  });

  test(`encoding and decoding gives the same: ${fixture.says}`, () => {
    const document = decodeRegions(textOf(fixture));

    assert.deepEqual(decodeRegions(encodeRegions(document)), document);
  });
}

for (const fixture of fixtures("broken")) {
  test(`a broken text is one clear sentence: ${fixture.error}`, () => {
    assert.throws(
      () => decodeRegions(textOf(fixture)),
      (error) =>
        error instanceof RegionTextError &&
        error.message.startsWith("Troupe, Draw Regions: ") &&
        error.message.length < 400 &&
        fixture.error.split("|").some((part) => error.message.includes(part)),
    );
  });
}

test("keys that this version does not know are written again", () => {
  const text = '{"version": 2, "by": "hand", "regions": [{"name": "a", "x": 0, "y": 0, "width": 1, "height": 1, "note": [1]}]}';

  const again = JSON.parse(encodeRegions(decodeRegions(text)));

  assert.equal(again.by, "hand");
  assert.deepEqual(again.regions[0].note, [1]);
});

test("every region without a colour gets one of its own", () => {
  const entries = ["a", "b", "c"].map((name) => ({ name, x: 0, y: 0, width: 1, height: 1 }));

  const { regions } = decodeRegions(JSON.stringify({ version: 1, regions: entries }));

  assert.equal(new Set(regions.map(({ colour }) => colour)).size, 3);
});
