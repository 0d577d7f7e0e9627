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
