/** What nodes of ours say, where one looks: a line on the node after its run, and what went wrong as a message. */

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { headOf, linesOf, sentenceOf } from "./answers/sentences.mjs";
import { addStyles, chain } from "./regions/on_node.mjs";

const LINE = "troupe_line"; // a widget without a value
const SHOWN = 30_000; // ms that a message stays; it can be closed
const told = new Map(); // by graph and node: undo makes nodes anew

function showLine(node, text) {
  let widget = node.widgets?.find(({ name }) => name === LINE);
  if (!widget) {
    addStyles("./answers/answers.css", import.meta.url);
    const line = Object.assign(document.createElement("div"), { className: "troupe-answer", tabIndex: 0 });
    line.setAttribute("role", "status");
    const height = () => Math.min(18 + 16 * Math.ceil((line.textContent.length * 6.2) / Math.max(node.size[0] - 40, 80)), 110);
    const options = { serialize: false, hideInPanel: true, hideOnZoom: true, margin: 6, getMinHeight: height, getMaxHeight: height };
    widget = node.addDOMWidget(LINE, "TROUPE_LINE", line, { ...options, getValue: () => line.textContent, setValue() {} });
    widget.serialize = false;
  }
  widget.element.textContent = text;
  const [width, least] = [node.size[0], node.computeSize()[1]];
  if (node.size[1] < least) node.setSize([width, least]);
  node.setDirtyCanvas?.(true, true);
}

function follow(node) {
  if (!(node.comfyClass ?? node.type)?.startsWith("Troupe_")) return;
  const keyOf = () => `${node.graph?.id}:${node.id}`;
  chain(node, "onExecuted", (output) => {
    const text = linesOf(output);
    if (!text && !told.has(keyOf())) return;
    told.set(keyOf(), text);
    showLine(node, text);
  });
  chain(node, "onAdded", () => requestAnimationFrame(() => told.get(keyOf()) && showLine(node, told.get(keyOf()))));
}

/** The node of an execution id: "2:7" is node 7 inside of node 2. */
function nodeOf(id) {
  let graph = app.rootGraph ?? app.graph;
  let node = null;
  for (const part of String(id).split(":")) {
    node = graph?.getNodeById?.(part) ?? graph?.getNodeById?.(Number(part)) ?? null;
    graph = node?.subgraph;
  }
  return node;
}

function noteFailure({ detail }) {
  const sentence = sentenceOf(detail);
  if (!sentence) return;
  const summary = nodeOf(detail.node_id)?.title ?? headOf(detail);
  app.extensionManager?.toast?.add({ severity: "error", summary, detail: sentence, life: SHOWN });
}

app.registerExtension({
  name: "Troupe.Answers",
  setup: () => api.addEventListener("execution_error", noteFailure),
  nodeCreated: follow,
});
