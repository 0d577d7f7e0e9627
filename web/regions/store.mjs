/** What the canvas knows at any time, who wants to hear of it, and the text that the node's value is. */

import { decodeRegions, encodeRegions } from "./codec.mjs";
import { find } from "./edits.mjs";
import { WHOLE } from "./zoom.mjs";

const START = {
  document: { regions: [], extra: {} }, // as it is kept
  draft: null, // as it is shown while something is dragged
  broken: null, // why the text cannot be read
  selection: null, // a name
  tool: "select",
  brush: { size: 0.12, feather: 0 },
  snapping: true,
  guides: [],
  pointer: null, // where the brush is, in the picture
  view: WHOLE,
  width: 512, // of the picture, in pixels
  height: 512,
  picture: null, // an image to draw on
  background: "input",
  target: null, // the name of the region that something is held over
  scores: null, // what Score Cast read on the last result: [{ name, region, own, right_place, face }]
  status: "",
};
const REMEMBERED = ["selection", "tool", "brush", "snapping", "view"];

/**
 * A store; `onKept` is called after every change of the text, with false while keys are still held down, and `tidy`
 * puts a document in order before it is kept.
 */
export function createStore(onKept, tidy = (document) => document) {
  let state = { ...START };
  let text = encodeRegions(state.document);
  const listeners = new Set();

  const set = (changes) => {
    state = { ...state, ...changes };
    const shown = state.draft ?? state.document;
    if (state.selection && !find(shown, state.selection)) state.selection = null;
    for (const listener of listeners) listener(state);
  };

  return {
    get state() {
      return state;
    },
    get text() {
      return text;
    },
    set,
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    /** Take a text as it is: it is only written anew when something changes. One that cannot be read is kept. */
    load(given) {
      text = String(given);
      try {
        set({ document: decodeRegions(text), draft: null, broken: null });
      } catch (error) {
        set({ document: START.document, draft: null, broken: error.message });
      }
    },
    /** Keep a document: it becomes the text. */
    keep(changed, changes = {}, settled = true) {
      const document = changed === state.document ? changed : tidy(changed);
      if (document !== state.document || state.broken) {
        text = encodeRegions(document);
        set({ document, draft: null, guides: [], broken: null, ...changes });
        onKept(settled);
      } else set({ draft: null, guides: [], ...changes });
    },
    remembered: () => Object.fromEntries(REMEMBERED.map((key) => [key, state[key]])),
  };
}

export const shown = (state) => state.draft ?? state.document;
export const selected = (state) => (state.selection ? find(shown(state), state.selection) : null);
export const aspectOf = (state) => state.width / state.height;
