/** What the newest run of a graph has shown: the picture that was saved or previewed last, and what Score Cast read on it. */

import { viewPath } from "./pictures.mjs";

/**
 * { address(graph), scores(graph), start() }, of the graph with that id: another's pictures mean nothing to it. `tell()` is
 * called when either has changed, and `running()` is the id of the graph whose run the page hears of. Pictures that
 * stand beside a line of ours are no results: Score Cast and Extract Identity draw on theirs.
 */
export function createLastResult(api, running, tell) {
  let newest = null; // { graph, address }
  let scored = null; // { graph, address, scores }: goes first until the next run, whatever else is previewed
  const of = (graph, result) => (result && result.graph === graph ? result : null);

  function note({ detail }) {
    const { images, troupe_line: line, troupe_scores: pictures } = detail?.output ?? {};
    const image = pictures?.length ? pictures.at(-1).picture : images?.at(-1);
    if (!image?.filename || image.type === "input" || (line && !pictures?.length)) return;
    const result = { graph: running(), address: api.apiURL(viewPath(image, detail.prompt_id)) };
    if (pictures?.length) scored = { ...result, scores: pictures.at(-1).members };
    else newest = result;
    tell();
  }

  return {
    address: (graph) => (of(graph, scored) ?? of(graph, newest))?.address ?? null,
    scores: (graph) => of(graph, scored)?.scores ?? null,
    start() {
      api.addEventListener("executed", note);
      api.addEventListener("execution_start", () => {
        newest = scored ?? newest;
        scored = null;
        tell();
      });
    },
  };
}
