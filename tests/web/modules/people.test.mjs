// People on the board: who gets a photo, where one more stands, and what the text says of it.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  addPeople, addPlace, changePerson, givePhotos, inOrder, isEmpty, MOST_PEOPLE, nameFrom, personOf, pointAtFace, reorder, swap, takePhoto,
} from "../../../web/board/people.mjs";
import { BOARD_WORDS } from "../../../web/board/words/all.mjs";
import { decodeRegions, encodeRegions } from "../../../web/regions/codec.mjs";
import { LANGUAGES } from "../../../web/regions/language.mjs";

const photo = (name) => ({ file: `troupe/${name}.jpg`, name: `${name}.jpg` });
const place = (name, x, order, more = {}) => ({ name, x, y: 0.1, width: 0.4, height: 0.8, order, ...more });
const boardOf = (...entries) => decodeRegions(JSON.stringify({ version: 2, board: 1, regions: entries }));
const two = () => boardOf(place("person 1", 0.05, 0), place("person 2", 0.55, 1));
const names = ({ regions }) => regions.map(({ name }) => name);
const shared = (a, b) => Math.max(Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x), 0);

test("photos on free ground fill the places that wait, then bring people", () => {
  const [filled, first] = addPeople(two(), [photo("IMG_1"), photo("IMG_2"), photo("IMG_3")], "person");
  assert.deepEqual(first, ["person 1", "person 2", "person 3"]);
  assert.ok(filled.regions.every((region) => personOf(region).photos.length === 1));
});

test("one more stands beside the others, whatever stands there already, up to as many as there can be", () => {
  let document = boardOf();
  for (let count = 1; count <= MOST_PEOPLE; count++) {
    const [after, name] = addPlace(document, "person");
    assert.ok(name);
    document = inOrder(after);
    const fresh = document.regions.find((region) => region.name === name);
    for (const other of document.regions) if (other !== fresh) assert.ok(shared(fresh, other) <= 0.26 * fresh.width + 1e-9);
    assert.ok(document.regions.every(({ x, width }) => x >= -1e-9 && x + width <= 1 + 1e-9));
  }
  assert.equal(addPlace(document, "person")[1], null);
});

test("where somebody is locked, nobody is pushed", () => {
  const locked = boardOf(place("a", 0, 0, { locked: true, width: 0.5 }), place("b", 0.5, 1, { width: 0.5 }));
  const [after] = addPlace(locked, "person");
  assert.deepEqual(after.regions.slice(0, 2).map(({ x, width }) => [x, width]), [[0, 0.5], [0.5, 0.5]]);
});

test("a second photo is added, with Alt it replaces, and the same one is one", () => {
  let document = givePhotos(two(), "person 1", [photo("a")]);
  document = givePhotos(document, "person 1", [photo("b"), photo("a")]);
  assert.deepEqual(personOf(document.regions[0]).photos.map(({ name }) => name), ["a.jpg", "b.jpg"]);
  assert.deepEqual(personOf(givePhotos(document, "person 1", [photo("c")], true).regions[0]).photos, [photo("c")]);
  assert.ok(isEmpty(takePhoto(takePhoto(document, "person 1", photo("a").file), "person 1", photo("b").file).regions[0]));
});

test("everything about a person goes through the text and back; what is as at first is not written", () => {
  let document = givePhotos(two(), "person 1", [photo("a")]);
  document = pointAtFace(document, "person 1", photo("a").file, [0.25, 0.5]);
  document = changePerson(document, "person 1", { prompt: "in a \"red\" coat\nlaughing", negative: "hat", strength: 0.8, start: 0.1 });
  const text = encodeRegions(inOrder(document));
  const again = decodeRegions(text);
  assert.deepEqual(personOf(again.regions[0]), personOf(document.regions[0]));
  assert.deepEqual(JSON.parse(text).regions[0].person, {
    photos: [{ ...photo("a"), face: [0.25, 0.5] }], prompt: "in a \"red\" coat\nlaughing", negative: "hat", strength: 0.8, start: 0.1,
  });
  assert.equal(JSON.parse(text).board, 1);
  assert.equal(JSON.parse(text).regions[1].person, undefined);
});

test("the list is the depth, whichever of the two was changed", () => {
  const document = boardOf(place("a", 0, 2), place("b", 0.3, 0), place("c", 0.6, 1));
  assert.deepEqual(names(inOrder(document)), ["b", "c", "a"]);
  const moved = inOrder(reorder(inOrder(document), "a", 0));
  assert.deepEqual(moved.regions.map(({ name, order }) => [name, order]), [["a", 0], ["b", 1], ["c", 2]]);
  assert.equal(inOrder(moved).regions, moved.regions);
});

test("two who change places keep who they are", () => {
  const document = givePhotos(two(), "person 1", [photo("a")]);
  const after = swap(document, "person 1", "person 2");
  assert.deepEqual(after.regions.map(({ name, x }) => [name, x]), [["person 1", 0.55], ["person 2", 0.05]]);
  assert.ok(!isEmpty(after.regions[0]));
});

test("files that name somebody name them; cameras' names do not", () => {
  for (const [file, name] of [["Ada.png", "Ada"], ["mum_at-the lake.jpeg", "mum at the lake"], ["Łucja.webp", "Łucja"]]) {
    assert.equal(nameFrom(file), name);
  }
  for (const file of ["IMG_2041.jpg", "image.png", "0123abcd.jpg", "Screenshot from today.png", "a<b>.png", ".png"]) {
    assert.equal(nameFrom(file), "", file);
  }
  const [document, [name]] = addPeople(two(), [photo("Ada")], "person");
  assert.equal(name, "Ada");
  assert.deepEqual(names(addPeople(document, [photo("Ada")], "person")[0]), ["Ada", "Ada 2"]);
});

test("a person who makes no sense is nobody", () => {
  for (const person of [null, 3, "Ada", []]) assert.ok(isEmpty(boardOf(place("a", 0, 0, { person })).regions[0]));
});

test("the board speaks every language of the canvas", () => {
  for (const language of Object.keys(LANGUAGES)) assert.ok(BOARD_WORDS[language], language);
});

for (const [language, words] of Object.entries(BOARD_WORDS)) {
  test(`the board speaks ${language} as fully as English`, () => {
    const gaps = (text) => [...text.matchAll(/\{\w+\}/g)].map(([gap]) => gap).sort();
    assert.deepEqual(Object.keys(words).sort(), Object.keys(BOARD_WORDS.en).sort());
    for (const key of Object.keys(words)) assert.deepEqual(gaps(words[key]), gaps(BOARD_WORDS.en[key]), key);
  });
}
