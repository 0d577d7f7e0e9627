/** A canvas as the widget of a node: its value, its pictures, and what undo and both renderers do to it. */

import { createBackdrop } from "./backdrop.mjs";
import { chooseLanguage } from "./language.mjs";
import { pictureOf, sizeOf, upstream, viewPath } from "./pictures.mjs";
import { focusWhenShown, mountWhenStale, watchFocus } from "./remount.mjs";

export const LANGUAGE = "Troupe.Language"; // a setting
const BACKGROUND = "troupe_background"; // a property of the node, saved with it

/** Call `after` whenever the function `name` of `owner` was called, and keep what was there. */
export function chain(owner, name, after) {
  const before = owner[name];
  owner[name] = function (...given) {
    const result = before?.apply(this, given);
    after.apply(this, given);
    return result;
  };
}

/**
 * All canvases of one kind. `app` and `api` are ComfyUI's; `kind` is { type, size, leastHeight }: the widget's type,
 * the size of a new node, and the least height of the widget, which the stylesheet has as well for Nodes 2.0.
 * Returns { add(node, inputName, inputData, makeEditor), capture(), language(), start() }; makeEditor(host) gives the
 * editor (see editor.mjs), and start() listens to what the server runs.
 */
export function nodeCanvases({ app, api }, kind) {
  const remembered = new Map(); // what undo must not take away: selection, tool, zoom; by graph and node
  const lastResult = { address: null };
  const cameIn = new WeakMap(); // node -> address
  const looks = new Set(); // one for every canvas
  const setting = (name) => app.extensionManager?.setting?.get(name);
  const toUrl = (path) => api.apiURL(path);

  function capture() {
    const changes = app.extensionManager?.workflow?.activeWorkflow?.changeTracker;
    (changes?.captureCanvasState ?? changes?.checkState)?.call(changes);
  }

  /** Where a picture to draw on is: the connected one as its node shows it, else as it came in when the graph last ran. */
  function addressOf(node, wanted) {
    if (wanted === "result") return lastResult.address;
    const source = upstream(node, "image");
    return source ? pictureOf(source, app.nodeOutputs, toUrl) ?? cameIn.get(node) ?? null : null;
  }

  function add(node, inputName, inputData, makeEditor) {
    const editor = makeEditor({
      capture,
      undo: (again) => app.extensionManager?.command?.execute(again ? "Comfy.Redo" : "Comfy.Undo"),
      changed: () => node.setDirtyCanvas?.(true, true),
    });
    const look = createBackdrop(editor.store, {
      address: (wanted) => addressOf(node, wanted),
      size: () => sizeOf(node),
      chosen(background) {
        (node.properties ??= {})[BACKGROUND] = background;
        capture();
      },
    });
    editor.store.load(inputData?.[1]?.default ?? editor.store.text);
    const widget = node.addDOMWidget(inputName, kind.type, editor.root, {
      getValue: () => editor.store.text,
      setValue: (value) => editor.store.load(value),
      getMinHeight: () => kind.leastHeight,
      hideOnZoom: false,
      hideInPanel: true, // the properties panel has no room for it, and shrinks it for good
      margin: 6,
    });
    keepWidth(widget);
    follow(node, editor, look);
    return { editor, look, answer: { widget, minWidth: kind.size.width, minHeight: kind.size.height } };
  }

  /** Everything that happens to a node and concerns its canvas. */
  function follow(node, editor, look) {
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

  return {
    add,
    capture,
    language: () => chooseLanguage(setting(LANGUAGE), setting("Comfy.Locale"), navigator.language),
    start: () => api.addEventListener("executed", noteResult),
  };
}

/** Add a stylesheet beside the file at `base` to the page, once. */
export function addStyles(name, base) {
  const href = new URL(name, base).href;
  if (document.querySelector(`link[href="${href}"]`)) return;
  document.head.append(Object.assign(document.createElement("link"), { rel: "stylesheet", href }));
}

/** Older panels write their own width on what they show; the canvas is as wide as its node. */
function keepWidth(widget) {
  Object.defineProperty(widget, "width", { get: () => undefined, set() {}, configurable: true });
}
