// Boxes that turn, what lies under a point, what snaps, and what the stage shows of the picture.

import assert from "node:assert/strict";
import { test } from "node:test";

import * as geometry from "../../../web/regions/geometry.mjs";
import { backToFront, covers, cursorFor, handleAt, regionAt } from "../../../web/regions/hits.mjs";
import { snap, snapLines, snapPoint, snapRegion } from "../../../web/regions/snapping.mjs";
import { pannedBy, toPicture, toStage, WHOLE, zoomedAt } from "../../../web/regions/zoom.mjs";

const box = (more = {}) => ({ name: "a", shape: "box", x: 0.2, y: 0.3, width: 0.4, height: 0.2, rotation: 0, order: 0, ...more });
const near = (a, b) => Object.keys(b).forEach((key) => assert.ok(Math.abs(a[key] - b[key]) < 1e-9, `${key}: ${a[key]} is not ${b[key]}`));

test("a point seen by a turned region and back is the same point", () => {
  const region = box({ rotation: 33 });
  near(geometry.fromLocal(region, geometry.toLocal(region, { x: 0.9, y: 0.1 }, 1.7), 1.7), { x: 0.9, y: 0.1 });
});

test("a quarter turn on a wide picture swaps width and height as they are seen", () => {
  near(geometry.bounds(box({ rotation: 90 }), 2), { left: 0.35, right: 0.45, top: 0, bottom: 0.8 });
});

test("dragging a corner leaves the opposite one in place, turned or not", () => {
  for (const rotation of [0, 30, -120]) {
    const region = box({ rotation });
    const after = geometry.resized(region, "se", { x: 0.9, y: 0.9 }, 1.5);
    near(geometry.handlePoint(after, "nw", 1.5), geometry.handlePoint(region, "nw", 1.5));
  }
});

test("a side moves alone", () => {
  near(geometry.resized(box(), "e", { x: 0.7, y: 0.9 }, 1), { x: 0.2, y: 0.3, width: 0.5, height: 0.2 });
});

test("with the shape kept, width and height grow alike", () => {
  const after = geometry.resized(box(), "se", { x: 1, y: 0.5 }, 1, { keepShape: true });
  assert.ok(Math.abs(after.width / after.height - 2) < 1e-9);
});

test("about the middle, the middle stays", () => {
  near(geometry.centre(geometry.resized(box(), "ne", { x: 0.9, y: 0.1 }, 1, { fromMiddle: true })), geometry.centre(box()));
});

test("a corner dragged past the opposite one leaves the smallest box", () => {
  const after = geometry.resized(box(), "se", { x: 0, y: 0 }, 1);
  near(after, { x: 0.2, y: 0.3, width: geometry.SMALLEST, height: geometry.SMALLEST });
});

test("however far it is dragged, some of a region stays in the picture", () => {
  for (const [right, down] of [[99, 0], [-99, -99], [0, 1e9]]) {
    const { x, y, width, height } = geometry.moved(box(), right, down);
    assert.ok(x < 1 && y < 1 && x + width > 0 && y + height > 0);
  }
});

test("turned, the upper side faces the pointer", () => {
  assert.equal(geometry.turned(box(), { x: 0.9, y: 0.4 }, 1).rotation, 90);
  assert.equal(geometry.turned(box(), { x: 0.41, y: 0 }, 1, 15).rotation, 0);
  assert.equal(geometry.turnedBy(box({ rotation: 170 }), 20).rotation, -170);
});

test("the foremost region is found: a smaller order, then the earlier one", () => {
  const regions = [box({ name: "a", order: 1 }), box({ name: "b" }), box({ name: "c" })];
  assert.deepEqual(backToFront(regions).map(({ name }) => name), ["a", "c", "b"]);
  assert.equal(regionAt(regions, { x: 0.3, y: 0.4 }, 1).name, "b");
  assert.equal(regionAt(regions, { x: 0.9, y: 0.9 }, 1), null);
});

test("a locked region is looked through", () => {
  assert.equal(regionAt([box({ locked: true }), box({ name: "b", order: 1 })], { x: 0.3, y: 0.4 }, 1).name, "b");
});

test("an ellipse does not cover its corners, a mask only what is painted", () => {
  const mask = { width: 2, height: 1, pixels: Uint8Array.of(1, 0) };
  assert.ok(!covers(box({ shape: "ellipse" }), { x: 0.21, y: 0.31 }, 1));
  assert.ok(covers(box({ shape: "ellipse" }), { x: 0.4, y: 0.4 }, 1));
  assert.ok(covers(box({ shape: "mask", mask }), { x: 0.25, y: 0.4 }, 1));
  assert.ok(!covers(box({ shape: "mask", mask }), { x: 0.55, y: 0.4 }, 1));
});

test("handles are found within reach, that for turning above the region, none of a locked one", () => {
  assert.equal(handleAt(box(), { x: 0.605, y: 0.5 }, 1, 0.02, 0.1), "se");
  assert.equal(handleAt(box(), { x: 0.4, y: 0.2 }, 1, 0.02, 0.1), "turn");
  assert.equal(handleAt(box(), { x: 0.4, y: 0.4 }, 1, 0.02, 0.1), null);
  assert.equal(handleAt(box({ locked: true }), { x: 0.6, y: 0.5 }, 1, 0.02, 0.1), null);
});

test("the mouse pointer follows a region's turn", () => {
  assert.equal(cursorFor("n", 0), "ns-resize");
  assert.equal(cursorFor("n", 90), "ew-resize");
  assert.equal(cursorFor("nw", 0), "nwse-resize");
});

test("the nearest line within reach wins, and none beyond", () => {
  assert.deepEqual(snap([0.1, 0.5], [0.12, 0.51], 0.05), { by: 0.51 - 0.5, line: 0.51 });
  assert.deepEqual(snap([0.1], [0.2], 0.05), { by: 0, line: null });
});

test("edges snap to the picture and to other regions, not to themselves", () => {
  const lines = snapLines([box(), box({ name: "b", x: 0.77, width: 0.1 })], "a", 1);
  const { right, down, guides } = snapRegion(box({ x: 0.365 }), lines, 0.01, 1);
  assert.ok(Math.abs(right - 0.005) < 1e-9);
  assert.equal(guides[0].x, 0.77);
  assert.equal(down, 0);
  assert.deepEqual(snapPoint({ x: 0.003, y: 0.4 }, lines, 0.01, 1).point.x, 0);
});

test("the stage shows a point of the picture where the pointer finds it again", () => {
  const stage = { width: 400, height: 300 };
  const view = zoomedAt(WHOLE, 3, { x: 50, y: 60 }, stage, 1.5);
  near(toPicture(toStage({ x: 0.3, y: 0.7 }, view, stage, 1.5), view, stage, 1.5), { x: 0.3, y: 0.7 });
});

test("zooming keeps the point under the pointer, and zooming out ends at the whole picture", () => {
  const stage = { width: 400, height: 300 };
  const before = toPicture({ x: 150, y: 160 }, WHOLE, stage, 1);
  const view = zoomedAt(WHOLE, 4, { x: 150, y: 160 }, stage, 1);
  near(toPicture({ x: 150, y: 160 }, view, stage, 1), before);
  assert.deepEqual(zoomedAt(pannedBy(view, 30, 30, stage, 1), 0.01, { x: 0, y: 0 }, stage, 1), WHOLE);
});
