/** A canvas as the widget of a node: its value, its pictures, and what undo and both renderers do to it. */

import { createBackdrop } from "./backdrop.mjs";
import { chooseLanguage } from "./language.mjs";
import { createLastResult } from "./last_result.mjs";
import { facesOf } from "./on_subgraph.mjs";
import { showInPanel } from "./panel_view.mjs";
import { pictureOf, sizeOf, upstream, viewPath } from "./pictures.mjs";
import { focusWhenShown, mountWhenStale, watchFocus } from "./remount.mjs";

export const LANGUAGE = "Troupe.Language"; // a setting
export const CHANGED = "troupe-regions"; // an event of the window: the text of some canvas is another
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
 * All canvases of one kind. `app` and `api` are ComfyUI's; `kind` is { type, size, leastHeight, background }: the widget's
 * type, the size of a new node, the least height of the widget, which the stylesheet has as well for Nodes 2.0, and what
 * is shown behind at first. makeEditor(host, parts) gives an editor (see editor.mjs), once more for every other view.
 * Returns { add(node, inputName, inputData, makeEditor), faces(makeEditor), capture(), language(), start() }: faces gives
 * what `nodeCreated` is called with (see on_subgraph.mjs), and start() listens to what the server runs.
 */
export function nodeCanvases({ app, api }, kind) {
  const remembered = new Map(); // what undo must not take away: selection, tool, zoom; by graph and node
  const cameIn = new WeakMap(); // node -> address
  const cameOut = new WeakMap(); // node -> [width, height]
  const looks = new Set(); // one for every canvas
  const setting = (name) => app.extensionManager?.setting?.get(name);
  const toUrl = (path) => api.apiURL(path);
  const last = createLastResult(api, () => (app.rootGraph ?? app.graph)?.id, () => looks.forEach((look) => look()));
  const rootOf = (node) => (node.graph?.rootGraph ?? node.graph)?.id;
  const first = kind.background ?? "input";

  function capture() {
    const changes = app.extensionManager?.workflow?.activeWorkflow?.changeTracker;
    (changes?.captureCanvasState ?? changes?.checkState)?.call(changes);
  }

  const hostOf = (node, changed = () => {}) => ({
    capture,
    undo: (again) => app.extensionManager?.command?.execute(again ? "Comfy.Redo" : "Comfy.Undo"),
    changed() {
      if (node.graph?.getNodeById(node.id) !== node) return; // fields that undo took off the page tell once more
      changed();
      node.setDirtyCanvas?.(true, true);
      window.dispatchEvent(new Event(CHANGED));
    },
  });

  /** Where a picture to draw on is: the connected one as its node shows it, else as it came in when the graph last ran. */
  function addressOf(node, wanted) {
    const result = last.address(rootOf(node));
    if (wanted === "result" && (result || first !== "result")) return result;
    const source = upstream(node, "image");
    return source ? pictureOf(source, app.nodeOutputs, toUrl) ?? cameIn.get(node) ?? null : null;
  }

  /** Of a connected latent as its node says, else as the last run made it; without one, of the node's own widgets. */
  function measure(node) {
    const source = upstream(node, "latent");
    const { width, height } = sizeOf(source ?? node);
    if (!source || (width && height)) return { width, height };
    const [wide, high] = cameOut.get(node) ?? [];
    return wide ? { width: wide, height: high } : sizeOf(node);
  }

  /** The picture behind an editor on `node`, whose inputs those of `source` are: the same, or a node inside of it. */
  function backdropOf(editor, node, source) {
    const look = createBackdrop(editor.store, {
      address: (wanted) => addressOf(source, wanted),
      size: () => measure(source),
      chosen(background) {
        (node.properties ??= {})[BACKGROUND] = background;
        capture();
      },
    });
    return () => {
      const scores = last.scores(rootOf(source));
      if (editor.store.state.scores !== scores) editor.store.set({ scores });
      look();
    };
  }

  const optionsOf = (editor) => ({
    getValue: () => editor.store.text,
    setValue: (value) => editor.store.load(value),
    getMinHeight: () => kind.leastHeight,
    hideOnZoom: false,
    margin: 6,
  });

  function add(node, inputName, inputData, makeEditor) {
    const host = hostOf(node);
    const editor = makeEditor(host, {});
    editor.store.set({ background: first });
    const look = backdropOf(editor, node, node);
    editor.store.load(inputData?.[1]?.default ?? editor.store.text);
    const widget = node.addDOMWidget(inputName, kind.type, editor.root, optionsOf(editor));
    keepWidth(widget);
    showInPanel(widget, () => app.canvas?.canvas, () => makeEditor(host, { store: editor.store }));
    follow(node, editor, look);
    chain(node, "onConfigure", () => {
      editor.store.set({ background: node.properties?.[BACKGROUND] ?? first });
      look();
    });
    chain(node, "onConnectionsChange", () => requestAnimationFrame(look));
    chain(node, "onExecuted", ({ troupe_background: pictures, troupe_size: sizes } = {}) => {
      if (pictures?.[0]) cameIn.set(node, toUrl(viewPath(pictures[0])));
      if (sizes?.[0]) cameOut.set(node, sizes[0]);
      look();
    });
    for (const own of node.widgets) {
      if (own.name === "width" || own.name === "height") chain(own, "callback", look);
    }
    return { editor, look, answer: { widget, minWidth: kind.size.width, minHeight: kind.size.height } };
  }

  /** Everything that happens to a node and concerns its canvas. */
  function follow(node, editor, look) {
    const hadFocus = watchFocus(editor.root);
    let key = null;
    const added = () => {
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
    };
    chain(node, "onAdded", added);
    chain(node, "onRemoved", () => {
      looks.delete(look);
      if (key) remembered.set(key, { ...editor.store.remembered(), focused: hadFocus() });
      editor.detach();
    });
    editor.root.addEventListener("pointerenter", look);
    if (node.graph?.getNodeById(node.id) === node) added();
  }

  function faces(makeEditor) {
    const made = new WeakMap(); // subgraph node -> { widget's name: editor }: slots are resolved more than once
    return facesOf(kind.type, () => window.comfyAPI?.domWidget, ({ node, source, bridge }) => {
      const own = made.get(node) ?? made.set(node, {}).get(node);
      let editor = own[bridge.name];
      if (!editor) {
        editor = own[bridge.name] = makeEditor(hostOf(node, () => (editor.bridge.value = editor.store.text)), {}, source.node);
        editor.store.set({ background: node.properties?.[BACKGROUND] ?? first });
        follow(node, editor, backdropOf(editor, node, source.node));
      }
      editor.bridge = bridge;
      if (bridge.value !== editor.store.text) editor.store.load(bridge.value ?? "");
      return { editor, options: optionsOf(editor) };
    });
  }

  return {
    add,
    faces,
    capture,
    language: () => chooseLanguage(setting(LANGUAGE), setting("Comfy.Locale"), navigator.language),
    start: last.start,
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
