/** Registers the board as the widget of Cast Board; of its modules it alone touches ComfyUI's `app`. */

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { createBoard } from "./board/board.mjs";
import { BOARD_WORDS } from "./board/words/all.mjs";
import { filesOf, keepPicture } from "./photos/upload.mjs";
import { speaker } from "./regions/language.mjs";
import { addStyles, chain, nodeCanvases } from "./regions/on_node.mjs";
import { pictureOf } from "./regions/pictures.mjs";

const NODE = "Troupe_CastBoard";
const WIDGET = "TROUPE_CAST_BOARD";
const boards = nodeCanvases({ app, api }, { type: WIDGET, size: { width: 540, height: 780 }, leastHeight: 480 });
const results = new Map(); // by graph and node: undo makes nodes anew
const shown = new Map(); // node -> board, of those that are in a graph

/** Upload what was dropped: [{ file, name }]. */
async function take(pictures) {
  const files = await filesOf(pictures, (address) => fetch(new URL(address, location.href).pathname.startsWith("/view") ? api.apiURL(address) : address));
  return Promise.all(files.map((file) => keepPicture(file, (path, options) => api.fetchApi(path, options))));
}

/** Where the browser finds a photo that Load Image would call `file`. */
function urlOf(file) {
  return pictureOf({ widgets: [{ name: "image", value: file }] }, null, (path) => api.apiURL(path)) ?? "";
}

function createWidget(node, inputName, inputData) {
  addStyles("./regions/editor.css", import.meta.url);
  addStyles("./board/board.css", import.meta.url);
  const say = speaker(boards.language(), BOARD_WORDS);
  const { editor, answer } = boards.add(node, inputName, inputData, (host) => createBoard(say, { ...host, take, urlOf }));
  const keyOf = () => `${node.graph?.id}:${node.id}`;
  chain(node, "onAdded", () => {
    shown.set(node, editor);
    requestAnimationFrame(() => results.has(keyOf()) && editor.told(results.get(keyOf())));
  });
  chain(node, "onRemoved", () => shown.delete(node));
  chain(node, "onExecuted", ({ troupe_board: said } = {}) => {
    if (!said?.[0]) return;
    results.set(keyOf(), said[0]);
    editor.told(said[0]);
  });
  return answer;
}

/** A sentence of ours belongs on the card, not only in the run's error. */
function noteFailure({ detail }) {
  if (!detail?.node_type?.startsWith("Troupe_")) return;
  const text = String(detail.exception_message ?? "").trim().replace(/^Troupe, [^:]+: /, "");
  const id = String(detail.node_id).split(":").at(-1); // of the node inside of its graph
  for (const [node, board] of shown) {
    const own = detail.node_type === NODE && String(node.id) === id;
    if (own || board.names(text)) board.failed(text); // faces are also looked for by nodes that come after
  }
}

app.registerExtension({
  name: "Troupe.CastBoard",
  setup() {
    boards.start();
    api.addEventListener("execution_error", noteFailure);
  },
  getCustomWidgets: () => ({ [WIDGET]: createWidget }),
});
