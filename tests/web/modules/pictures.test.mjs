// Which picture of the graph is drawn on: found by looking at the nodes around.

import assert from "node:assert/strict";
import { test } from "node:test";

import { pictureOf, sizeOf, upstream, viewPath } from "../../../web/regions/pictures.mjs";

const asIs = (path) => path;
const query = (path) => Object.fromEntries(new URLSearchParams(path.split("?")[1]));

function graphOf(links, nodes) {
  const graph = { getNodeById: (id) => nodes[id] ?? null };
  for (const node of Object.values(nodes)) {
    node.graph = graph;
    node.getInputLink = (slot) => links[node.inputs?.[slot]?.link] ?? null;
  }
  return nodes;
}

test("the connected node is found through reroutes", () => {
  const nodes = graphOf({ 1: { origin_id: 2 }, 2: { origin_id: 3 } }, {
    1: { type: "Troupe_DrawRegions", inputs: [{ name: "image", link: 1 }] },
    2: { type: "Reroute", inputs: [{ name: "", link: 2 }] },
    3: { type: "LoadImage", inputs: [] },
  });
  assert.equal(upstream(nodes[1], "image"), nodes[3]);
});

test("nothing connected is nothing found, and reroutes in a ring end", () => {
  const alone = graphOf({}, { 1: { inputs: [{ name: "image", link: null }] } });
  assert.equal(upstream(alone[1], "image"), null);
  const ring = graphOf({ 1: { origin_id: 2 }, 2: { origin_id: 2 } }, {
    1: { inputs: [{ name: "image", link: 1 }] },
    2: { type: "Reroute", inputs: [{ name: "", link: 2 }] },
  });
  assert.doesNotThrow(() => upstream(ring[1], "image"));
  assert.equal(upstream({ inputs: [] }, "image"), null);
});

test("what a node showed last goes before the file it names", () => {
  const node = { id: 3, widgets: [{ name: "image", value: "folder/sub/a b.png [output]" }] };
  assert.deepEqual(query(pictureOf(node, {}, asIs)), { filename: "a b.png", subfolder: "folder/sub", type: "output", run: "" });
  const outputs = { 3: { images: [{ filename: "new.png", subfolder: "", type: "temp" }] } };
  assert.equal(query(pictureOf(node, outputs, asIs)).filename, "new.png");
});

test("inside of a subgraph a node's pictures are kept by the definition's id", () => {
  const images = (filename) => ({ images: [{ filename, subfolder: "", type: "temp" }] });
  const outputs = { 3: images("outside.png"), "an-id:3": images("inside.png") };
  const inside = { id: 3, graph: { id: "an-id", isRootGraph: false } };
  assert.equal(query(pictureOf(inside, outputs, asIs)).filename, "inside.png");
  assert.equal(query(pictureOf({ id: 3, graph: { id: "root", isRootGraph: true } }, outputs, asIs)).filename, "outside.png");
});

test("a widget that names no picture gives none", () => {
  for (const value of [3, null, "model.safetensors", "../secret", ""]) {
    assert.equal(pictureOf({ id: 1, widgets: [{ name: "image", value }] }, {}, asIs), null);
  }
  assert.equal(pictureOf({ id: 1 }, undefined, asIs), null);
});

test("signs of an address in a file's name stay in the name", () => {
  assert.equal(query(viewPath({ filename: "a&type=input#.png" })).filename, "a&type=input#.png");
});

test("a size that is no number is none", () => {
  const node = { widgets: [{ name: "width", value: "640" }, { name: "height", value: undefined }] };
  assert.deepEqual(sizeOf(node), { width: 640, height: null });
});
