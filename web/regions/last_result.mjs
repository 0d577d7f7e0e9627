/** What the newest run has shown: the picture that was saved or previewed last, and what Score Cast read on it. */

import { viewPath } from "./pictures.mjs";

/**
 * { address(), scores(), start() }. `tell()` is called when either has changed. Pictures that stand beside a line of
 * ours are no results: Score Cast and Extract Identity draw on theirs.
 */
export function createLastResult(api, tell) {
  let newest = null;
  let scored = null; // { address, scores }: what was scored goes first until the next run, whatever else is previewed

  function note({ detail }) {
    const { images, troupe_line: line, troupe_scores: pictures } = detail?.output ?? {};
    const image = pictures?.length ? pictures.at(-1).picture : images?.at(-1);
    if (!image?.filename || image.type === "input" || (line && !pictures?.length)) return;
    const address = api.apiURL(viewPath(image, detail.prompt_id));
    if (pictures?.length) scored = { address, scores: pictures.at(-1).members };
    else newest = address;
    tell();
  }

  return {
    address: () => scored?.address ?? newest,
    scores: () => scored?.scores ?? null,
    start() {
      api.addEventListener("executed", note);
      api.addEventListener("execution_start", () => {
        newest = scored?.address ?? newest;
        scored = null;
        tell();
      });
    },
  };
}
