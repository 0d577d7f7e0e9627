// The canvas's words, and which language is chosen.

import assert from "node:assert/strict";
import { test } from "node:test";

import { commandOf } from "../../../web/regions/keys.mjs";
import { chooseLanguage, LANGUAGES, NATIVE_NAMES, speaker } from "../../../web/regions/language.mjs";

const gaps = (text) => [...text.matchAll(/\{\w+\}/g)].map(([gap]) => gap).sort();

for (const [language, words] of Object.entries(LANGUAGES)) {
  test(`${language} has every phrase with the same gaps`, () => {
    assert.deepEqual(Object.keys(words).sort(), Object.keys(LANGUAGES.en).sort());
    for (const key of Object.keys(words)) assert.deepEqual(gaps(words[key]), gaps(LANGUAGES.en[key]), key);
    assert.ok(NATIVE_NAMES[language]);
  });
}

test("the user's choice goes first, then the editor's language, then the browser's where the editor cannot speak it", () => {
  assert.equal(chooseLanguage("ja", "fr", "de-DE"), "ja");
  assert.equal(chooseLanguage("auto", "zh", "en-US"), "zh");
  assert.equal(chooseLanguage("auto", "en", "de-AT"), "de");
  assert.equal(chooseLanguage("auto", "en", "fr-FR"), "en");
  assert.equal(chooseLanguage("auto", "ko", "ko"), "en");
  assert.equal(chooseLanguage(undefined, undefined, undefined), "en");
});

test("Chinese has two scripts, told apart as the editor tells them", () => {
  for (const tag of ["zh-TW", "zh_TW", "zh-tw"]) assert.equal(chooseLanguage("auto", tag, "en-US"), "zh-TW", tag);
  for (const tag of ["zh", "zh-CN", "zh-Hans"]) assert.equal(chooseLanguage("auto", tag, "zh-TW"), "zh", tag);
  assert.equal(chooseLanguage("zh-TW", "zh", "zh-CN"), "zh-TW");
  assert.equal(chooseLanguage("auto", "en", "zh-TW"), "en");
});

test("gaps are filled, and a phrase that does not exist is an error", () => {
  assert.equal(speaker("en")("removed", { name: "Ada {x}" }), "Ada {x} removed");
  assert.throws(() => speaker("en")("nothing"), /no phrase/);
});

test("keys have commands; those of the editor itself have none", () => {
  const key = (name, more = {}) => commandOf({ key: name, ...more });
  assert.deepEqual(key("ArrowLeft"), { nudge: [-1, 0] });
  assert.deepEqual(key("ArrowDown", { shiftKey: true, altKey: true }), { grow: [0, 10] });
  assert.equal(key("d", { ctrlKey: true }), "duplicate");
  assert.equal(key("Delete"), "remove");
  assert.equal(key("B"), "box");
  for (const name of ["z", "y", "c", "v", "s", "Enter"]) assert.equal(key(name, { ctrlKey: true }), null, name);
  assert.equal(key("q"), null);
});
