/** The board's own words, by language; of the canvas's it takes the others. */

import de from "./de.mjs";
import en from "./en.mjs";
import fr from "./fr.mjs";
import ja from "./ja.mjs";
import zh from "./zh.mjs";
import zhTW from "./zh-TW.mjs";

export const BOARD_WORDS = { en, zh, "zh-TW": zhTW, ja, de, fr };
