/**
 * Nodes 2.0 keeps the old element of a widget on screen when undo makes the node anew, and the new one is nowhere:
 * edits are lost. Once a node was added, its widget's element takes the place of the one that was left behind.
 */

const FRAMES = 60;

/** Look for some frames whether `root` has reached the page, and put it where a stale one of the same node is. */
export function mountWhenStale(node, root, mounted) {
  let frames = 0;
  const look = () => {
    if (root.isConnected) return mounted();
    const shell = document.querySelector(`[data-node-id="${CSS.escape(String(node.id))}"]`);
    const stale = shell?.querySelector(".troupe-regions");
    if (stale && stale !== root) {
      stale.replaceWith(root);
      return mounted();
    }
    return ++frames < FRAMES ? requestAnimationFrame(look) : undefined;
  };
  requestAnimationFrame(look);
}

/** Give an element the focus once it can have it: it may still be hidden. Not if something else got it meanwhile. */
export function focusWhenShown(element) {
  let frames = 0;
  const attempt = () => {
    if (document.activeElement && document.activeElement !== document.body) return;
    element.focus({ preventScroll: true });
    if (document.activeElement !== element && ++frames < FRAMES) requestAnimationFrame(attempt);
  };
  attempt();
}

/** Whether an element had the focus when it left the page: asked afterwards, when nothing has it any more. */
export function watchFocus(root) {
  let had = false;
  root.addEventListener("focusin", () => {
    had = true;
  });
  root.addEventListener("focusout", () => setTimeout(() => {
    if (root.isConnected) had = root.contains(document.activeElement);
  }));
  return () => had;
}
