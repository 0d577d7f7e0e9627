/** The canvas's words in the user's language. */

import de from "./words/de.mjs";
import en from "./words/en.mjs";
import fr from "./words/fr.mjs";
import ja from "./words/ja.mjs";
import zh from "./words/zh.mjs";
import zhTW from "./words/zh-TW.mjs";

export const LANGUAGES = { en, zh, "zh-TW": zhTW, ja, de, fr };
export const NATIVE_NAMES = { en: "English", zh: "简体中文", "zh-TW": "繁體中文", ja: "日本語", de: "Deutsch", fr: "Français" };
const SPOKEN_BY_THE_EDITOR = ["en", "zh", "zh-TW", "ja", "fr"];

/** The key in LANGUAGES of a tag such as zh-TW or de-AT, found as the editor finds its own: by all of it, else by its first part. */
function ours(tag) {
  const name = (tag ?? "").toLowerCase().replaceAll("_", "-");
  const part = name.split("-")[0];
  return Object.keys(LANGUAGES).find((key) => key.toLowerCase() === name) ?? part;
}

/**
 * Which of our languages to use. `wanted` is a language or "auto": then the editor's own, and where that is English
 * only because the editor does not speak the browser's language and we do, the browser's.
 */
export function chooseLanguage(wanted, editors, browsers) {
  const [chosen, editor, browser] = [wanted, editors, browsers].map(ours);
  if (LANGUAGES[chosen]) return chosen;
  if (editor !== "en" && LANGUAGES[editor]) return editor;
  return LANGUAGES[browser] && !SPOKEN_BY_THE_EDITOR.includes(browser) ? browser : "en";
}

/**
 * say(key, values): a phrase with {name} and the like filled in. Throws for a phrase that does not exist.
 * `more` has further phrases by language, English ones at least; of the same name they go first.
 */
export function speaker(language, more = { en: {} }) {
  const words = { ...LANGUAGES[language], ...(more[language] ?? more.en) };
  return (key, values = {}) => {
    if (words[key] === undefined) throw new Error(`There is no phrase '${key}'.`);
    return words[key].replace(/\{(\w+)\}/g, (_, name) => String(values[name]));
  };
}
