/** What the newest run has shown: the picture that was saved or previewed last, and what Score Cast read on it. */

import { viewPath } from "./pictures.mjs";

/**
 * { address(), scores(), start() }. `tell()` is called when either has changed. Pictures that stand beside a line of
 * ours are no results: Score Cast and Extract Identity draw on theirs.
 */
export function createLastResult(api, tell) {
  let address = null;
  let scores = null;

  function note({ detail }) {
    const { images, troupe_line: line, troupe_scores: pictures } = detail?.output ?? {};
    const image = images?.at(-1);
    if (pictures?.length) scores = pictures.at(-1).members;
    else if (line || !image?.filename || image.type === "input") return;
    else address = api.apiURL(viewPath(image, detail.prompt_id));
    tell();
  }

  return {
    address: () => address,
    scores: () => scores,
    start() {
      api.addEventListener("executed", note);
      api.addEventListener("execution_start", () => {
        scores = null;
        tell();
      });
    },
  };
}
