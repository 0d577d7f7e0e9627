/** Mouse, pen and touch on the stage: listens, and tells gestures where the pointer is. Two fingers zoom. */

import { cursorFor } from "./hits.mjs";
import { pinched } from "./pinch.mjs";
import { handleUnder, pressAt, regionUnder } from "./presses.mjs";
import { aspectOf, selected } from "./store.mjs";
import { pannedBy, toPicture, zoomedAt } from "./zoom.mjs";

const CLICK = 3; // pixels that a click may wander
const WHEEL = 0.0015;
const CURSORS = { select: "default", box: "crosshair", ellipse: "crosshair", paint: "none", erase: "none" };

/** Listens on a stage and changes a store. */
export class Pointer {
  constructor(stage, store, say, { clicked = () => false, clickedTwice = () => {} } = {}) {
    Object.assign(this, { stage, store, say, clicked, clickedTwice, fingers: new Map(), drag: null, taken: false });
    const { canvas } = stage;
    this.listeners = [
      [canvas, "pointerdown", (event) => this.down(event)],
      [canvas, "pointermove", (event) => this.move(event)],
      [canvas, "pointerup", (event) => this.up(event)],
      [canvas, "pointercancel", (event) => this.lost(event)],
      [canvas, "pointerleave", () => store.set({ pointer: null })],
      [canvas, "wheel", (event) => this.wheel(event)],
      [canvas, "dblclick", (event) => this.twice(event)],
      // Two fingers are for this picture. The editor listens on an ancestor before the stage could, and zooms the graph.
      [window, "touchmove", (event) => event.target === canvas && event.stopPropagation()],
    ];
  }

  /** Begin to listen; returns what ends it. */
  attach() {
    for (const [target, kind, listener] of this.listeners) {
      target.addEventListener(kind, listener, { passive: false, capture: target === window });
    }
    return () => {
      this.cancel();
      for (const [target, kind, listener] of this.listeners) {
        target.removeEventListener(kind, listener, { capture: target === window });
      }
    };
  }

  /** Give up what is being dragged; whether there was anything. */
  cancel() {
    const dragged = this.drag !== null;
    this.drag = null;
    this.store.set({ draft: null, guides: [] });
    return dragged;
  }

  /** Where an event is: { at } in pixels of the stage, { point } in the picture. */
  place(event) {
    const { state } = this.store;
    const at = this.stage.pointAt(event);
    return { at, point: toPicture(at, state.view, this.stage.size(), aspectOf(state)) };
  }

  down(event) {
    if (event.button === 1) return; // pans the graph
    event.stopPropagation();
    this.fingers.set(event.pointerId, event);
    if (this.fingers.size === 2) return void this.cancel();
    const { state } = this.store;
    if (event.button !== 0 || this.drag || state.broken) return;
    this.stage.canvas.setPointerCapture(event.pointerId);
    const { at, point } = this.place(event);
    const press = pressAt(state, this.stage.size(), event.pointerType, point, this.say("person"));
    if ("selection" in press) this.store.set({ selection: press.selection });
    this.taken = false;
    this.drag = { ...press, id: event.pointerId, from: at, moved: false };
    if (press.atOnce) this.show(press.gesture(point, keysOf(event)));
  }

  move(event) {
    event.stopPropagation();
    if (this.fingers.size === 2 && this.fingers.has(event.pointerId)) return this.pinch(event);
    const { at, point } = this.place(event);
    const { drag } = this;
    if (!drag || event.pointerId !== drag.id) return this.hover(event, point);
    const [right, down] = [at.x - drag.from.x, at.y - drag.from.y];
    drag.moved ||= Math.hypot(right, down) > CLICK;
    if (drag.pan) {
      const view = pannedBy(drag.pan, right, down, this.stage.size(), aspectOf(this.store.state));
      return this.store.set({ view });
    }
    if (!drag.gesture || !(drag.moved || drag.atOnce)) return undefined;
    for (const passed of drag.atOnce ? event.getCoalescedEvents?.() ?? [] : []) drag.gesture(this.place(passed).point);
    return this.show(drag.gesture(point, keysOf(event)), point);
  }

  show({ document, selection, guides }, pointer = this.store.state.pointer) {
    this.store.set({ draft: document, selection: selection ?? this.store.state.selection, guides, pointer });
  }

  hover(event, point) {
    const { state } = this.store;
    const { tool } = state;
    const handle = tool === "select" ? handleUnder(state, this.stage.size(), event.pointerType, point) : null;
    const over = tool === "select" && regionUnder(state, point) ? "move" : CURSORS[tool];
    this.stage.canvas.style.cursor = handle ? cursorFor(handle, selected(state).rotation) : over;
    if (over === "none") this.store.set({ pointer: point });
  }

  up(event) {
    event.stopPropagation();
    this.fingers.delete(event.pointerId);
    const { drag } = this;
    if (!drag || event.pointerId !== drag.id) return;
    this.drag = null;
    const { document: before, selection: old } = this.store.state;
    if (!drag.gesture || !(drag.moved || drag.atOnce)) {
      this.store.set({ draft: null, guides: [] });
      if (!drag.moved && drag.selection) this.taken = Boolean(this.clicked(drag.selection));
      return;
    }
    const { document, selection } = drag.gesture(this.place(event).point, { ...keysOf(event), lifted: true });
    const changed = document !== before;
    this.store.keep(document, { ...(changed ? drag.after : {}), selection: changed ? selection ?? null : old });
  }

  /** A click that was for something of its own is no half of a double click. */
  twice(event) {
    event.preventDefault();
    event.stopPropagation();
    if (!this.taken && this.store.state.tool === "select") this.clickedTwice();
  }

  lost(event) {
    this.fingers.delete(event.pointerId);
    if (this.drag?.id === event.pointerId) this.cancel();
  }

  pinch(event) {
    const points = () => [...this.fingers.values()].map((finger) => this.stage.pointAt(finger));
    const before = points();
    this.fingers.set(event.pointerId, event);
    const { view } = this.store.state;
    this.store.set({ view: pinched(view, before, points(), this.stage.size(), aspectOf(this.store.state)) });
  }

  /** The wheel belongs to the graph until the stage has been clicked on. */
  wheel(event) {
    if (document.activeElement !== this.stage.canvas || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    const factor = Math.exp(-event.deltaY * WHEEL);
    const { state } = this.store;
    const view = zoomedAt(state.view, factor, this.stage.pointAt(event), this.stage.size(), aspectOf(state));
    this.store.set({ view });
  }
}

function keysOf({ shiftKey, altKey, ctrlKey, metaKey }) {
  return { shift: shiftKey, alt: altKey, ctrl: ctrlKey || metaKey };
}
