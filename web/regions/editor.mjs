/** The region canvas: stage, buttons, sliders and list in one element, without anything of ComfyUI. */

import { createBrushBar } from "./brush_bar.mjs";
import { createNotice } from "./broken_notice.mjs";
import { createCommands } from "./commands.mjs";
import { element } from "./elements.mjs";
import { createFullScreen } from "./full_screen.mjs";
import { attachKeyboard } from "./keyboard.mjs";
import { createList } from "./region_list.mjs";
import { Pointer } from "./pointer.mjs";
import { scoreWords } from "./draw_scores.mjs";
import { createStage } from "./stage.mjs";
import { createStore } from "./store.mjs";
import { createToolbar } from "./toolbar.mjs";
import { createTransfer } from "./transfer.mjs";

let count = 0;

/**
 * A canvas. `say` speaks the user's language; `host` is the editor around it: capture() takes note of a change for
 * undo, undo(again) undoes or redoes, changed() is told of every change. `parts` can replace
 * list    : createList of region_list.mjs
 * tidy    : see store.mjs
 * look    : what else is drawn for a region, see draw.mjs
 * clicked : told the name of a region that was clicked on without being moved; true if that was for something
 * store   : that of another canvas, for a second view of the same regions
 * Returns { root, store, stage, attach(), detach() }; it listens, and draws, between the two.
 */
export function createEditor(say, host, parts = {}) {
  const store = parts.store ?? createStore((settled) => {
    host.changed();
    if (settled) host.capture();
  }, parts.tidy);
  const stage = createStage(store, say, { wordsOf: scoreWords(say), ...parts.look });
  const list = (parts.list ?? createList)(store, say, () => stage.canvas.focus({ preventScroll: true }));
  const full = createFullScreen();
  const pointer = new Pointer(stage, store, say, { clicked: parts.clicked, clickedTwice: full.toggle });
  const commands = createCommands(store, stage, say, {
    renameSelected: list.editName,
    cancel: () => pointer.cancel() || full.leave(),
    full: full.toggle,
  });
  const transfer = createTransfer(store, say);
  const shown = [createToolbar(store, commands, transfer, say), createBrushBar(store, say), createNotice(store, say), list];
  const [toolbar, brush, notice] = shown;
  const keys = element("p", { className: "troupe-hidden", id: `troupe-keys-${count++}` }, say("keys"));
  const status = element("p", { className: "troupe-status", role: "status", "aria-live": "polite" });
  stage.canvas.setAttribute("aria-describedby", keys.id);
  const picture = element("div", { className: "troupe-picture" }, stage.canvas, notice.notice, status);
  const side = element("div", { className: "troupe-side" }, brush.bar, transfer.field, list.list);
  const body = element("div", { className: "troupe-body" }, picture, side);
  const root = element("div", { className: "troupe-regions" }, toolbar.bar, body, keys);
  root.dataset.captureWheel = "true";
  full.of(root);
  const update = (state) => {
    for (const part of shown) part.update(state);
    showStatus(status, state.status);
  };
  const attachments = [
    () => store.subscribe(update),
    () => stage.attach(),
    () => pointer.attach(),
    () => attachKeyboard(root, stage.canvas, store, commands, host),
    () => transfer.attach(root),
    () => full.leave,
  ];
  let attached = [];
  const detach = () => attached.splice(0).forEach((undo) => undo());
  const attach = () => {
    detach();
    attached = attachments.map((start) => start());
    update(store.state);
  };
  return { root, store, stage, attach, detach };
}

/** A message fades by itself (the stylesheet does that); the same one again starts anew. */
function showStatus(status, text) {
  if (status.dataset.text === text) return;
  status.dataset.text = text;
  status.textContent = text;
  status.classList.remove("shown");
  void status.offsetWidth;
  status.classList.toggle("shown", Boolean(text));
}
