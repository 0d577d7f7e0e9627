/** An element that takes pictures: dropped on it, or pasted while it has the focus. Nobody else hears of those. */

import { mayBringPicture, picturesIn } from "./incoming.mjs";

/** Have a node take what is dropped on it beside that element: the editor would make Load Image nodes of it. */
export function takeBeside(node, take) {
  node.onDragOver = (event) => mayBringPicture(event.dataTransfer);
  node.onDragDrop = (event) => {
    const pictures = picturesIn(event.dataTransfer, location.origin);
    if (!pictures.files.length && !pictures.addresses.length) return false;
    take(pictures, event);
    return true;
  };
}

const TEXT_FIELDS = "textarea, input[type=text]";

/**
 * Listen on `root`. take(pictures, event) is told what picturesIn found, hover(event or null) where a drag is.
 * Returns what ends it.
 */
export function takePictures(root, take, hover = () => {}) {
  const stop = (event) => {
    event.preventDefault();
    event.stopPropagation();
  };
  const over = (event) => {
    if (!mayBringPicture(event.dataTransfer)) return;
    stop(event);
    event.dataTransfer.dropEffect = "copy";
    hover(event);
  };
  const leave = (event) => {
    if (!root.contains(event.relatedTarget)) hover(null);
  };
  const drop = (event) => {
    hover(null);
    if (!mayBringPicture(event.dataTransfer)) return;
    stop(event);
    take(picturesIn(event.dataTransfer, location.origin), event);
  };
  const paste = (event) => {
    const pictures = picturesIn({ files: event.clipboardData?.files }, location.origin);
    if (!pictures.files.length || (event.target.matches(TEXT_FIELDS) && event.clipboardData.getData("text/plain"))) return;
    stop(event);
    event.stopImmediatePropagation();
    take(pictures, event);
  };
  const listeners = { dragenter: over, dragover: over, dragleave: leave, drop, paste };
  for (const [kind, listener] of Object.entries(listeners)) root.addEventListener(kind, listener);
  return () => {
    for (const [kind, listener] of Object.entries(listeners)) root.removeEventListener(kind, listener);
  };
}
