/** Registers the board as the widget of Cast Board; of its modules it alone touches ComfyUI's `app`. */

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { createBoard } from "./board/board.mjs";
import { membersOnWire } from "./board/wired.mjs";
import { BOARD_WORDS } from "./board/words/all.mjs";
import { takeBeside } from "./photos/drop_zone.mjs";
import { filesOf, keepPicture } from "./photos/upload.mjs";
import { speaker } from "./regions/language.mjs";
import { addStyles, chain, CHANGED, nodeCanvases } from "./regions/on_node.mjs";
import { pictureOf } from "./regions/pictures.mjs";

const NODE = "Troupe_CastBoard";
const WIDGET = "TROUPE_CAST_BOARD";
const boards = nodeCanvases({ app, api }, { type: WIDGET, size: { width: 540, height: 780 }, leastHeight: 480, background: "result" });
const results = new Map(); // by graph and node: undo makes nodes anew
const shown = new Map(); // board -> its node, of those that are in a graph

/** Upload what was dropped: [{ file, name }]. */
async function take(pictures) {
  const files = await filesOf(pictures, (address) => fetch(new URL(address, location.href).pathname.startsWith("/view") ? api.apiURL(address) : address));
  return Promise.all(files.map((file) => keepPicture(file, (path, options) => api.fetchApi(path, options))));
}

/** Where the browser finds a photo that Load Image would call `file`. */
function urlOf(file) {
  return pictureOf({ widgets: [{ name: "image", value: file }] }, null, (path) => api.apiURL(path)) ?? "";
}

/** A view of a board on `node`; `source` is the node inside, on the face of a subgraph. */
function makeBoard(host, parts, source) {
  addStyles("./regions/editor.css", import.meta.url);
  addStyles("./board/board.css", import.meta.url);
  const board = createBoard(speaker(boards.language(), BOARD_WORDS), { ...host, take, urlOf }, parts);
  if (source) onNode(board, source);
  return board;
}

function createWidget(node, inputName, inputData) {
  const { editor, answer } = boards.add(node, inputName, inputData, makeBoard);
  onNode(editor, node);
  takeBeside(node, editor.taken);
  return answer;
}

/** Tell a board what happens to its node: members who are connected, what runs found. */
function onNode(board, node) {
  const keyOf = () => `${node.graph?.id}:${node.id}`;
  const look = () => {
    const wired = membersOnWire(node);
    if (wired && JSON.stringify(wired) !== JSON.stringify(board.store.state.wired ?? [])) board.store.set({ wired });
  };
  const added = () => {
    shown.set(board, node);
    window.addEventListener(CHANGED, look);
    requestAnimationFrame(() => {
      look();
      if (results.has(keyOf())) board.told(results.get(keyOf()));
    });
  };
  chain(node, "onAdded", added);
  if (node.graph) added();
  chain(node, "onRemoved", () => {
    shown.delete(board);
    window.removeEventListener(CHANGED, look);
  });
  chain(node, "onConnectionsChange", () => requestAnimationFrame(look));
  board.root.addEventListener("pointerenter", look);
  chain(node, "onExecuted", ({ troupe_board: said } = {}) => {
    if (!said?.[0]) return;
    results.set(keyOf(), said[0]);
    board.told(said[0]);
  });
}

/** A sentence of ours belongs on the card, not only in the run's error. */
function noteFailure({ detail }) {
  if (!detail?.node_type?.startsWith("Troupe_")) return;
  const text = String(detail.exception_message ?? "").trim().replace(/^Troupe, [^:]+: /, "");
  const id = String(detail.node_id).split(":").at(-1); // of the node inside of its graph
  for (const [board, node] of shown) {
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
  nodeCreated: boards.faces(makeBoard),
  getCustomWidgets: () => ({ [WIDGET]: createWidget }),
});
