// What dragging does to the regions.

import assert from "node:assert/strict";
import { test } from "node:test";

import { add, find } from "../../../web/regions/edits.mjs";
import { brushGesture, drawGesture, handleGesture, moveGesture } from "../../../web/regions/gestures.mjs";
import { covers } from "../../../web/regions/hits.mjs";
import { snapLines } from "../../../web/regions/snapping.mjs";

const BRUSH = { size: 0.2, feather: 0.05, erase: false };

function sceneOf(document, { aspect = 1, snapping = false } = {}) {
  return { document, aspect, snapping, reach: 0.02, lines: snapLines(document.regions, "Ada", aspect), word: "person" };
}
const nobody = { regions: [], extra: {} };
const ada = add(nobody, { x: 0.2, y: 0.2, width: 0.4, height: 0.4 }, "Ada")[0];

test("drawing makes a region between the points, a click none", () => {
  const drag = drawGesture(sceneOf(nobody), "ellipse", { x: 0.6, y: 0.7 });
  const region = find(drag({ x: 0.1, y: 0.2 }).document, "person");
  assert.deepEqual([region.shape, region.x, region.y, region.width.toFixed(6)], ["ellipse", 0.1, 0.2, "0.500000"]);
  assert.equal(drag({ x: 0.601, y: 0.7 }).document, nobody);
  assert.equal(drawGesture(sceneOf(nobody), "box", { x: 2, y: 0 })({ x: 3, y: 1 }).document, nobody);
});

test("with Shift, what is drawn is as wide as high on a wide picture", () => {
  const drag = drawGesture(sceneOf(nobody, { aspect: 2 }), "box", { x: 0.1, y: 0.1 });
  const region = find(drag({ x: 0.2, y: 0.5 }, { shift: true }).document, "person");
  assert.ok(Math.abs(region.width * 2 - region.height) < 1e-9);
});

test("moving snaps, unless Alt is held", () => {
  const drag = moveGesture(sceneOf(ada, { snapping: true }), "Ada", { x: 0.3, y: 0.3 });
  assert.equal(find(drag({ x: 0.11, y: 0.3 }).document, "Ada").x, 0);
  assert.deepEqual(drag({ x: 0.11, y: 0.3 }).guides[0], { x: 0 });
  assert.ok(Math.abs(find(drag({ x: 0.11, y: 0.3 }, { alt: true }).document, "Ada").x - 0.01) < 1e-9);
});

test("moving with Shift keeps to one axis", () => {
  const drag = moveGesture(sceneOf(ada), "Ada", { x: 0.3, y: 0.3 });
  assert.equal(find(drag({ x: 0.5, y: 0.35 }, { shift: true }).document, "Ada").y, 0.2);
});

test("turning goes in steps with Shift", () => {
  const drag = handleGesture(sceneOf(ada), "Ada", "turn");
  assert.equal(find(drag({ x: 0.9, y: 0.27 }, { shift: true }).document, "Ada").rotation, 75);
});

test("a gesture always starts from what was there, however it went", () => {
  const drag = handleGesture(sceneOf(ada), "Ada", "se");
  drag({ x: 0.9, y: 0.9 });
  assert.deepEqual(find(drag({ x: 0.6, y: 0.6 }).document, "Ada").width.toFixed(6), "0.400000");
});

test("paint on nothing is a new painted region that covers the stroke", () => {
  const drag = brushGesture(sceneOf(nobody), null, { x: 0.3, y: 0.5 }, BRUSH);
  const { document, selection } = drag({ x: 0.7, y: 0.5 }, { lifted: true });
  const region = find(document, selection);
  assert.equal(region.shape, "mask");
  assert.equal(region.feather, 0.05);
  assert.ok(covers(region, { x: 0.5, y: 0.5 }, 1));
  assert.ok(!covers(region, { x: 0.5, y: 0.7 }, 1));
  assert.ok(Math.abs(region.x - 0.2) < 0.01 && Math.abs(region.width - 0.6) < 0.02);
});

test("erasing cuts into a box and makes it painted; erased whole, it goes", () => {
  const drag = brushGesture(sceneOf(ada), "Ada", { x: 0.2, y: 0.2 }, { ...BRUSH, erase: true });
  const region = find(drag({ x: 0.2, y: 0.2 }, { lifted: true }).document, "Ada");
  assert.equal(region.shape, "mask");
  assert.ok(!covers(region, { x: 0.22, y: 0.22 }, 1));
  assert.ok(covers(region, { x: 0.5, y: 0.5 }, 1));
  const all = brushGesture(sceneOf(ada), "Ada", { x: 0.4, y: 0.4 }, { ...BRUSH, size: 2, erase: true });
  assert.equal(find(all({ x: 0.4, y: 0.4 }, { lifted: true }).document, "Ada"), null);
});

test("painting again where nothing was moved loses nothing", () => {
  const first = brushGesture(sceneOf(nobody), null, { x: 0.3, y: 0.5 }, BRUSH)({ x: 0.7, y: 0.6 }, { lifted: true });
  const same = brushGesture(sceneOf(first.document), first.selection, { x: 0.5, y: 0.55 }, BRUSH);
  assert.deepEqual(same({ x: 0.5, y: 0.55 }, { lifted: true }).document.regions[0].mask, first.document.regions[0].mask);
});

test("however it is painted, a mask fits into a text", () => {
  let document = nobody;
  let selection = null;
  for (let i = 0; i < 60; i++) {
    const at = { x: (i * 0.37) % 1, y: (i * 0.61) % 1 };
    const brush = { size: 0.03 + (i % 5) * 0.04, feather: 0, erase: i % 3 === 2 };
    ({ document, selection } = brushGesture(sceneOf(document), selection, at, brush)({ x: 1 - at.y, y: at.x }, { lifted: true }));
  }
  assert.ok(find(document, selection).mask.width <= 256);
});
