/** Mouse, pen and touch on the stage: what is under the pointer decides what dragging does. Two fingers zoom. */

import { brushGesture, drawGesture, handleGesture, moveGesture } from "./gestures.mjs";
import { covers, cursorFor, handleAt, regionAt } from "./hits.mjs";
import { snapLines } from "./snapping.mjs";
import { STEM } from "./draw.mjs";
import { aspectOf, selected } from "./store.mjs";
import { pannedBy, scaleOf, toPicture, zoomedAt } from "./zoom.mjs";

const REACH = { mouse: 8, pen: 10, touch: 18 }; // pixels
const SNAP = 6;
const CLICK = 3; // pixels that a click may wander
const WHEEL = 0.0015;

/** Listen on the stage; returns { cancel, detach }. */
export function attachPointer(stage, store, say) {
  const { canvas } = stage;
  const fingers = new Map();
  let drag = null; // { gesture, id, from, moved, after }

  const place = (event) => {
    const at = stage.pointAt(event);
    return { at, point: toPicture(at, store.state.view, stage.size(), aspectOf(store.state)) };
  };
  const cancel = () => {
    drag = null;
    store.set({ draft: null, guides: [] });
  };

  function down(event) {
    if (event.button === 1) return; // pans the graph
    event.stopPropagation();
    fingers.set(event.pointerId, event);
    if (fingers.size === 2) return cancel();
    if (event.button !== 0 || drag || store.state.broken) return undefined;
    canvas.setPointerCapture(event.pointerId);
    const { at, point } = place(event);
    drag = { ...begin(event, point), id: event.pointerId, from: at, moved: false };
    if (drag.now) show(drag.gesture(point, keysOf(event)));
    return undefined;
  }

  function begin(event, point) {
    const { state } = store;
    const scene = () => sceneOf(store.state, stage, say);
    if (state.tool === "paint" || state.tool === "erase") return beginBrush(scene(), point);
    const handle = handleUnder(event, point);
    if (handle) return { gesture: handleGesture(scene(), state.selection, handle) };
    if (state.tool !== "select") return { gesture: drawGesture(scene(), state.tool, point), after: { tool: "select" } };
    const region = regionUnder(point);
    store.set({ selection: region?.name ?? null });
    if (region) return { gesture: moveGesture(scene(), region.name, point) };
    return state.view.zoom > 1 ? { pan: state.view } : { gesture: drawGesture(scene(), "box", point) };
  }

  function beginBrush(scene, point) {
    const { tool, brush } = store.state;
    const erase = tool === "erase";
    const chosen = selected(store.state) ?? (erase ? regionAt(scene.document.regions, point, scene.aspect) : null);
    if (chosen?.locked || (erase && !chosen)) return {};
    return { gesture: brushGesture(scene, chosen?.name ?? null, point, { ...brush, erase }), now: true, lifts: true };
  }

  /** What is selected goes before what covers it. */
  function regionUnder(point) {
    const { state } = store;
    const chosen = selected(state);
    if (chosen && !chosen.locked && covers(chosen, point, aspectOf(state))) return chosen;
    return regionAt(state.document.regions, point, aspectOf(state));
  }

  function handleUnder(event, point) {
    const { state } = store;
    const scale = scaleOf(state.view, stage.size(), aspectOf(state));
    const reach = (REACH[event.pointerType] ?? REACH.mouse) / scale;
    return handleAt(selected(state), point, aspectOf(state), reach, STEM / scale);
  }

  function move(event) {
    event.stopPropagation();
    if (fingers.size === 2 && fingers.has(event.pointerId)) return pinch(event);
    const { at, point } = place(event);
    if (!drag || event.pointerId !== drag.id) return hover(event, point);
    drag.moved ||= Math.hypot(at.x - drag.from.x, at.y - drag.from.y) > CLICK;
    if (drag.pan) {
      const view = pannedBy(drag.pan, at.x - drag.from.x, at.y - drag.from.y, stage.size(), aspectOf(store.state));
      return store.set({ view });
    }
    if (!drag.gesture || !(drag.moved || drag.now)) return undefined;
    let shown;
    const passed = drag.now ? event.getCoalescedEvents?.() ?? [] : [];
    for (const one of [...passed, event]) shown = drag.gesture(place(one).point, keysOf(event));
    return show(shown, point);
  }

  function show({ document, selection, guides }, pointer = store.state.pointer) {
    store.set({ draft: document, selection: selection ?? store.state.selection, guides, pointer });
  }

  function hover(event, point) {
    const { tool } = store.state;
    const handle = tool === "select" ? handleUnder(event, point) : null;
    const idle = tool === "select" ? "default" : tool === "box" || tool === "ellipse" ? "crosshair" : "none";
    const over = tool === "select" && regionUnder(point) ? "move" : idle;
    canvas.style.cursor = handle ? cursorFor(handle, selected(store.state).rotation) : over;
    if (idle === "none") store.set({ pointer: point });
  }

  function up(event) {
    event.stopPropagation();
    fingers.delete(event.pointerId);
    if (!drag || event.pointerId !== drag.id) return;
    const { gesture, moved, now, lifts, after } = drag;
    drag = null;
    if (!gesture || !(moved || now)) return store.set({ draft: null, guides: [] });
    const { document, selection } = gesture(place(event).point, { ...keysOf(event), lifted: lifts });
    const kept = document !== store.state.document;
    store.keep(document, { ...(kept ? after : {}), selection: kept ? selection ?? null : store.state.selection });
  }

  function pinch(event) {
    const before = [...fingers.values()].map((finger) => stage.pointAt(finger));
    fingers.set(event.pointerId, event);
    const after = [...fingers.values()].map((finger) => stage.pointAt(finger));
    const span = ([a, b]) => Math.hypot(a.x - b.x, a.y - b.y) || 1;
    const middle = ([a, b]) => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
    const [from, to] = [middle(before), middle(after)];
    const aspect = aspectOf(store.state);
    const moved = pannedBy(store.state.view, to.x - from.x, to.y - from.y, stage.size(), aspect);
    store.set({ view: zoomedAt(moved, span(after) / span(before), to, stage.size(), aspect) });
  }

  /** The wheel belongs to the graph until the stage has been clicked on. */
  function wheel(event) {
    if (document.activeElement !== canvas || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    event.stopPropagation();
    const factor = Math.exp(-event.deltaY * WHEEL);
    store.set({ view: zoomedAt(store.state.view, factor, stage.pointAt(event), stage.size(), aspectOf(store.state)) });
  }

  const leave = () => store.set({ pointer: null });
  /** Two fingers are for this picture. The editor listens on an ancestor before the stage could, and zooms the graph. */
  const touched = (event) => event.target === canvas && event.stopPropagation();
  const lost = (event) => {
    fingers.delete(event.pointerId);
    if (drag?.id === event.pointerId) cancel();
  };
  const listeners = {
    pointerdown: down, pointermove: move, pointerup: up, pointercancel: lost, pointerleave: leave, wheel,
  };
  for (const [kind, listener] of Object.entries(listeners)) canvas.addEventListener(kind, listener, { passive: false });
  window.addEventListener("touchmove", touched, { capture: true });
  return {
    cancel,
    dragging: () => drag !== null,
    detach() {
      for (const [kind, listener] of Object.entries(listeners)) canvas.removeEventListener(kind, listener);
      window.removeEventListener("touchmove", touched, { capture: true });
    },
  };
}

function keysOf({ shiftKey, altKey, ctrlKey, metaKey }) {
  return { shift: shiftKey, alt: altKey, ctrl: ctrlKey || metaKey };
}

function sceneOf(state, stage, say) {
  const aspect = aspectOf(state);
  return {
    document: state.document,
    aspect,
    lines: snapLines(state.document.regions, state.selection, aspect),
    reach: SNAP / scaleOf(state.view, stage.size(), aspect),
    snapping: state.snapping,
    word: say("person"),
  };
}
