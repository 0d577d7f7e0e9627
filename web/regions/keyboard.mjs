/** Keys on the canvas: its own commands stay with it, and the editor gets all others. */

import { nudge } from "./commands.mjs";
import { commandOf } from "./keys.mjs";

const TYPED_INTO = "input, textarea, select";

/** Listen on the whole widget; `host.undo(event)` and `host.capture()` are the editor's. Returns detach. */
export function attachKeyboard(root, canvas, store, commands, host) {
  let unsettled = false;
  const keydown = (event) => {
    if (isUndo(event) && event.target.matches("input:not([type=text])")) {
      // The editor leaves Ctrl+Z to every input element; sliders and colours have nothing of their own to undo.
      event.preventDefault();
      event.stopPropagation();
      host.undo(event.shiftKey || event.key.toLowerCase() === "y");
      return;
    }
    if (event.target.matches(TYPED_INTO)) return void event.stopPropagation();
    if (event.target !== canvas) return;
    const command = commandOf(event);
    if (!command) return;
    event.preventDefault();
    event.stopPropagation();
    if (typeof command === "string") commands[command]();
    else nudge(store, command);
    unsettled = true;
  };
  const settle = () => {
    if (unsettled) host.capture();
    unsettled = false;
  };
  const listeners = { keydown, keyup: settle, focusout: settle };
  for (const [kind, listener] of Object.entries(listeners)) root.addEventListener(kind, listener);
  return () => {
    for (const [kind, listener] of Object.entries(listeners)) root.removeEventListener(kind, listener);
  };
}

function isUndo({ key, ctrlKey, metaKey }) {
  return (ctrlKey || metaKey) && ["z", "y"].includes(key.toLowerCase());
}
