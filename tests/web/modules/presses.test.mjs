// What a press on the stage begins, and how a store keeps what comes of it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { pinched } from "../../../web/regions/pinch.mjs";
import { handleUnder, pressAt, regionUnder, STEM } from "../../../web/regions/presses.mjs";
import { createStore } from "../../../web/regions/store.mjs";
import { toPicture, WHOLE } from "../../../web/regions/zoom.mjs";

const STAGE = { width: 500, height: 500 };
const entry = (name, x, more = {}) => ({ name, x, y: 0.2, width: 0.4, height: 0.4, ...more });
const TWO = JSON.stringify({ version: 2, regions: [entry("a", 0.1), entry("b", 0.3)] });

function stateWith(changes = {}, text = TWO) {
  const store = createStore(() => {});
  store.load(text);
  store.set({ width: 512, height: 512, ...changes });
  return store.state;
}
const press = (state, point) => pressAt(state, STAGE, "mouse", point, "person");

test("what is selected is moved, even where another covers it", () => {
  assert.equal(regionUnder(stateWith(), { x: 0.4, y: 0.4 }).name, "a");
  assert.equal(regionUnder(stateWith({ selection: "b" }), { x: 0.4, y: 0.4 }).name, "b");
  assert.equal(press(stateWith({ selection: "b" }), { x: 0.4, y: 0.4 }).selection, "b");
});

test("free ground is drawn on, and moved when enlarged", () => {
  const free = { x: 0.9, y: 0.9 };
  assert.ok(press(stateWith(), free).gesture);
  assert.equal(press(stateWith(), free).selection, null);
  const view = { zoom: 2, x: 0.5, y: 0.5 };
  assert.deepEqual(press(stateWith({ view }), free).pan, view);
});

test("a handle goes before everything, and fingers need not be as exact", () => {
  const state = stateWith({ selection: "a" });
  const beside = { x: 0.5 + 12 / 472, y: 0.6 };
  assert.equal(handleUnder(state, STAGE, "mouse", beside), null);
  assert.equal(handleUnder(state, STAGE, "touch", beside), "se");
  assert.equal(handleUnder(state, STAGE, "mouse", { x: 0.3, y: 0.2 - STEM / 472 }), "turn");
  assert.ok(!("selection" in press(state, { x: 0.5, y: 0.6 })));
});

test("paint goes onto what is selected, erasing needs something to erase from, locks hold", () => {
  assert.ok(press(stateWith({ tool: "paint" }), { x: 0.9, y: 0.9 }).atOnce);
  assert.ok(press(stateWith({ tool: "erase" }), { x: 0.2, y: 0.3 }).gesture);
  assert.ok(!press(stateWith({ tool: "erase" }), { x: 0.9, y: 0.9 }).gesture);
  const locked = JSON.stringify({ version: 2, regions: [entry("a", 0.1, { locked: true })] });
  assert.ok(!press(stateWith({ tool: "paint", selection: "a" }, locked), { x: 0.2, y: 0.3 }).gesture);
});

test("between two fingers stays what was between them", () => {
  const [before, after] = [[{ x: 200, y: 250 }, { x: 300, y: 250 }], [{ x: 150, y: 200 }, { x: 350, y: 200 }]];
  const view = pinched(WHOLE, before, after, STAGE, 1);
  assert.equal(view.zoom, 2);
  const middle = toPicture({ x: 250, y: 200 }, view, STAGE, 1);
  assert.ok(Math.abs(middle.x - 0.5) < 1e-9);
});

test("a text stays as it was written until something changes", () => {
  const kept = [];
  const store = createStore((settled) => kept.push(settled));
  store.load(TWO);
  assert.equal(store.text, TWO);
  store.keep(store.state.document);
  assert.equal(store.text, TWO);
  store.keep({ ...store.state.document }, {}, false);
  assert.notEqual(store.text, TWO);
  assert.deepEqual(kept, [false]);
});

test("a text that cannot be read is kept, says why, and is replaced only by a new start", () => {
  const store = createStore(() => {});
  store.load("{");
  assert.equal(store.text, "{");
  assert.match(store.state.broken, /not JSON/);
  store.keep({ regions: [], extra: {} });
  assert.equal(store.state.broken, null);
  assert.match(store.text, /"regions"/);
});

test("what is no longer there is no longer selected", () => {
  const store = createStore(() => {});
  store.load(TWO);
  store.set({ selection: "b" });
  store.load('{"version": 2, "regions": []}');
  assert.equal(store.state.selection, null);
});
