/** Registers the region canvas as the widget of Draw Regions; the only file that touches ComfyUI's `app`. */

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { takePictures } from "./photos/drop_zone.mjs";
import { filesOf, keepPicture } from "./photos/upload.mjs";
import { createBackdrop } from "./regions/backdrop.mjs";
import { createEditor } from "./regions/editor.mjs";
import { chooseLanguage, NATIVE_NAMES, speaker } from "./regions/language.mjs";
import { pictureOf, sizeOf, upstream, viewPath } from "./regions/pictures.mjs";
import { focusWhenShown, mountWhenStale, watchFocus } from "./regions/remount.mjs";

const WIDGET = "TROUPE_REGION_CANVAS"; // not a socket type: inputs of that type would all become canvases
const LANGUAGE = "Troupe.Language";
const BACKGROUND = "troupe_background"; // a property of the node, saved with it
const SIZE = { width: 420, height: 480 }; // of a new node
const LEAST_HEIGHT = 380; // also in the stylesheet, for Nodes 2.0
const remembered = new Map(); // what undo must not take away: selection, tool, zoom; by graph and node
const lastResult = { address: null };
const cameIn = new WeakMap(); // node -> address
const looks = new Set(); // one for every canvas

const setting = (name) => app.extensionManager?.setting?.get(name);
const tracker = () => app.extensionManager?.workflow?.activeWorkflow?.changeTracker;
const toUrl = (path) => api.apiURL(path);

function capture() {
  const changes = tracker();
  (changes?.captureCanvasState ?? changes?.checkState)?.call(changes);
}

function addStyles() {
  const href = new URL("./regions/editor.css", import.meta.url).href;
  if (document.querySelector(`link[href="${href}"]`)) return;
  document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href }));
}

/** Call `after` whenever the function `name` of `owner` was called, and keep what was there. */
function chain(owner, name, after) {
  const before = owner[name];
  owner[name] = function (...given) {
    const result = before?.apply(this, given);
    after.apply(this, given);
    return result;
  };
}

/** Where a picture to draw on is: the connected one as its node shows it, else as it came in when the graph last ran. */
function addressOf(node, kind) {
  if (kind === "result") return lastResult.address;
  const source = upstream(node, "image");
  return source ? pictureOf(source, app.nodeOutputs, toUrl) ?? cameIn.get(node) ?? null : null;
}

function createWidget(node, inputName, inputData) {
  addStyles();
  const say = speaker(chooseLanguage(setting(LANGUAGE), setting("Comfy.Locale"), navigator.language));
  const editor = createEditor(say, {
    capture,
    undo: (again) => app.extensionManager?.command?.execute(again ? "Comfy.Redo" : "Comfy.Undo"),
    changed: () => node.setDirtyCanvas?.(true, true),
  });
  const look = createBackdrop(editor.store, {
    address: (kind) => addressOf(node, kind),
    size: () => sizeOf(node),
    chosen(kind) {
      (node.properties ??= {})[BACKGROUND] = kind;
      capture();
    },
  });
  editor.store.load(inputData?.[1]?.default ?? editor.store.text);
  const widget = node.addDOMWidget(inputName, WIDGET, editor.root, {
    getValue: () => editor.store.text,
    setValue: (value) => editor.store.load(value),
    getMinHeight: () => LEAST_HEIGHT,
    hideOnZoom: false,
    hideInPanel: true, // the properties panel has no room for it, and shrinks it for good
    margin: 6,
  });
  widget.options.socketless = true;
  keepWidth(widget);
  follow(node, inputName, editor, look);
  takePictures(editor.root, (pictures) => { // ends with the element
    connectPicture(node, pictures).then(
      () => (editor.store.set({ background: "input" }), look()),
      (error) => editor.store.set({ status: say("not-taken", { reason: error.message }) }),
    );
  });
  return { widget, minWidth: SIZE.width, minHeight: SIZE.height };
}

/** Older panels write their own width on what they show; the canvas is as wide as its node. */
function keepWidth(widget) {
  Object.defineProperty(widget, "width", { get: () => undefined, set() {}, configurable: true });
}

/** Connect a picture that was dropped: the connected Load Image shows it, or a new one beside the node. */
async function connectPicture(node, pictures) {
  const [picture] = await filesOf(pictures, (address) => fetch(address));
  if (!picture) return;
  const { file } = await keepPicture(picture, (path, options) => api.fetchApi(path, options));
  let source = upstream(node, "image");
  if (source?.comfyClass !== "LoadImage") {
    source = LiteGraph.createNode("LoadImage");
    source.pos = [node.pos[0] - source.size[0] - 40, node.pos[1]];
    node.graph.add(source);
    source.connect(0, node, node.inputs.findIndex((input) => input.name === "image"));
  }
  const widget = source.widgets.find(({ name }) => name === "image");
  widget.value = file;
  widget.callback?.(file);
  await new Promise(requestAnimationFrame); // its node shows it by then
  capture();
}

/** Everything that happens to a node and concerns its canvas. */
function follow(node, inputName, editor, look) {
  const hadFocus = watchFocus(editor.root);
  let key = null;
  chain(node, "onAdded", () => {
    looks.add(look);
    editor.attach();
    mountWhenStale(node, editor.root, () => {
      key = `${node.graph?.id}:${node.id}`; // now that the graph has its id
      const { focused, ...state } = remembered.get(key) ?? {};
      remembered.delete(key);
      editor.store.set(state);
      if (focused) focusWhenShown(editor.stage.canvas);
      look();
    });
  });
  chain(node, "onRemoved", () => {
    looks.delete(look);
    if (key) remembered.set(key, { ...editor.store.remembered(), focused: hadFocus() });
    editor.detach();
  });
  chain(node, "onConfigure", () => {
    const socket = node.inputs.findIndex((input) => input.name === inputName);
    if (socket >= 0 && !node.isInputConnected(socket)) node.removeInput(socket); // saved when the text still was a text box
    editor.store.set({ background: node.properties?.[BACKGROUND] ?? "input" });
    look();
  });
  chain(node, "onConnectionsChange", () => requestAnimationFrame(look));
  chain(node, "onExecuted", ({ troupe_background: pictures } = {}) => {
    if (pictures?.[0]) cameIn.set(node, toUrl(viewPath(pictures[0])));
    look();
  });
  for (const widget of node.widgets) {
    if (widget.name === "width" || widget.name === "height") chain(widget, "callback", look);
  }
  editor.root.addEventListener("pointerenter", look);
}

/** Remember the newest picture of any node that saves or previews one. */
function noteResult({ detail }) {
  const image = detail?.output?.images?.at(-1);
  if (!image?.filename || image.type === "input") return;
  lastResult.address = toUrl(viewPath(image, detail.prompt_id));
  for (const look of looks) look();
}

app.registerExtension({
  name: "Troupe.Regions",
  settings: [
    {
      id: LANGUAGE,
      name: "Language of the region canvas",
      category: ["Troupe", "Canvas", "Language"],
      tooltip: "Used by canvases that are opened from then on.",
      type: "combo",
      defaultValue: "auto",
      options: [{ text: "Automatic", value: "auto" }, ...Object.entries(NATIVE_NAMES).map(([value, text]) => ({ text, value }))],
    },
  ],
  setup() {
    api.addEventListener("executed", noteResult);
  },
  getCustomWidgets: () => ({ [WIDGET]: createWidget }),
});
