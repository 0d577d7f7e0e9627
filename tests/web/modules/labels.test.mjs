// Names on the stage: readable, however many people there are.

import assert from "node:assert/strict";
import { test } from "node:test";

import { HEIGHT, placeLabels } from "../../../web/regions/labels.mjs";

const stage = { width: 380, height: 300 };
const options = { at: ({ x, y }) => ({ x: x * 380, y: y * 300 }), aspect: 380 / 300, stage, widthOf: ({ name }) => 12 + 7 * name.length };
const region = (name, x, y, width = 0.2, height = 0.5) => ({ name, x, y, width, height, rotation: 0 });

function overlaps(labels) {
  const meet = (a, b) => a.x < b.x + b.width && b.x < a.x + a.width && a.y < b.y + HEIGHT && b.y < a.y + HEIGHT;
  return labels.flatMap((a, i) => labels.slice(i + 1).filter((b) => meet(a, b)));
}

test("twelve people standing close keep twelve readable names", () => {
  const crowd = Array.from({ length: 12 }, (_, i) => region(`person ${i + 1}`, 0.02 + 0.07 * i, 0.1 + 0.01 * (i % 3)));
  const labels = placeLabels(crowd, options);
  assert.deepEqual(overlaps(labels), []);
  assert.equal(labels.length, 12);
});

test("a lone name stands in its region's corner, and inside the stage when that is outside", () => {
  const [label] = placeLabels([region("Ada", 0.5, 0.5)], options);
  assert.deepEqual([label.x, label.y].map(Math.round), [190, 150]);
  const [outside] = placeLabels([region("Ada", -0.1, -0.3)], options);
  assert.deepEqual([outside.x, outside.y], [0, 0]);
});

test("where there is no room for all, the selected one is seen", () => {
  const same = Array.from({ length: 60 }, (_, i) => region(`p${i}`, 0.4, 0.4, 0.1, 0.1));
  const labels = placeLabels(same, { ...options, first: "p59" });
  assert.equal(labels[0].name, "p59");
  assert.deepEqual(overlaps(labels), []);
});
