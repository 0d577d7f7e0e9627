// Members from the wire, the regions one can choose from, and what is read of a run's answers.

import assert from "node:assert/strict";
import { test } from "node:test";

import { headOf, linesOf, sentenceOf } from "../../../web/answers/sentences.mjs";
import { ghostsOf, membersOnWire, namedByRun } from "../../../web/board/wired.mjs";
import { regionFor, regionsBefore } from "../../../web/regions/known_regions.mjs";

/** Nodes as the editor links them: { inputs: { name: node } }. */
function node(type, widgets = {}, inputs = {}) {
  const names = Object.keys(inputs);
  const made = { type, inputs: names.map((name) => ({ name })), widgets: Object.entries(widgets).map(([name, value]) => ({ name, value })) };
  made.graph = { getNodeById: (at) => inputs[names[at]] };
  made.getInputLink = (slot) => (inputs[names[slot]] ? { origin_id: slot } : null);
  return made;
}

const draw = node("Troupe_DrawRegions", {
  regions: JSON.stringify({ version: 2, regions: ["left", "Dev", "right"].map((name, at) => ({ name, x: at / 3, y: 0, width: 0.3, height: 1 })) }),
});
const member = (name, region, cast) => node("Troupe_CastMember", { region }, { identity: node("Troupe_ExtractIdentity", { name }), regions: draw, ...(cast ? { cast } : {}) });

test("members on the wire are told front to back, each in the region that they will get", () => {
  const cast = member("Eva", "", member("Dev", "", member("Ada", "")));
  const members = membersOnWire(node("Troupe_CastBoard", {}, { cast }));
  assert.deepEqual(members.map(({ name, region }) => [name, region]), [["Ada", "left"], ["Dev", "Dev"], ["Eva", "right"]]);
  assert.deepEqual(ghostsOf(members).map(({ name, ghostOf, locked }) => [name, ghostOf, locked]), [["Ada", "left", true], ["Dev", "Dev", true], ["Eva", "right", true]]);
  assert.deepEqual(membersOnWire(node("Troupe_CastBoard")), []);
});

test("of a cast that comes from elsewhere, the run tells the names", () => {
  assert.equal(membersOnWire(node("Troupe_CastBoard", {}, { cast: node("SomebodyElses") })), null);
  const told = namedByRun(null, [{ name: "Ada", region: "left" }]);
  assert.deepEqual(told, [{ name: "Ada", region: "left", colour: null, place: null }]);
  assert.deepEqual(ghostsOf(told), []);
});

test("regions are known from a canvas and not from a node that finds them when it runs", () => {
  assert.deepEqual(regionsBefore(member("Ada", "")).map(({ name }) => name), ["left", "Dev", "right"]);
  assert.equal(regionsBefore(node("Troupe_CastMember", {}, { regions: node("Troupe_RegionsFromFaces") })), null);
  assert.equal(regionsBefore(node("Troupe_CastMember", {}, { regions: node("Troupe_DrawRegions", { regions: "{" }) })), null);
  const regions = regionsBefore(member("Ada", ""));
  assert.equal(regionFor(regions, ["left", "Dev"], " ", "Dev"), "right");
  assert.equal(regionFor(regions, ["left"], " left ", "Dev"), "left");
  assert.equal(regionFor(regions, ["left", "Dev", "right"], "", "Eva"), "Eva");
});

test("an error of ours is a sentence without the pack's name, and others' are left alone", () => {
  const error = (type, message) => ({ node_type: type, exception_message: message });
  assert.equal(sentenceOf(error("KSampler", "Troupe, Apply Cast: no adapter. Connect one.\n")), "No adapter. Connect one.");
  assert.equal(headOf(error("KSampler", "Troupe, Apply Cast: no adapter.")), "Apply Cast");
  assert.equal(sentenceOf(error("KSampler", "CUDA out of memory")), "");
  assert.equal(sentenceOf(error("Troupe_LoadIdentity", "it is gone")), "It is gone");
  const long = `Troupe, Cast Board: nobody. Do this. ${"Tried a lot of things. ".repeat(40)}Or do that.`;
  const short = sentenceOf(error("Troupe_CastBoard", long));
  assert.ok(short.startsWith("Nobody. Do this.") && short.endsWith("Or do that.") && short.length <= 300);
});

test("a line is what is for it, or the text of a node that shows nothing else", () => {
  assert.equal(linesOf({ troupe_line: ["a", "b"], text: ["{}"], images: [{}] }), "a\nb");
  assert.equal(linesOf({ text: ["Kept 1 of 2."] }), "Kept 1 of 2.");
  assert.equal(linesOf({ text: ["{}"], images: [{}] }), "");
  assert.equal(linesOf(), "");
});
