/** A canvas over the whole window. It stays where it is in the page, whatever is zoomed or cut off around it. */

/** { of(root), toggle(), leave() }; leave() says whether it filled the window. */
export function createFullScreen() {
  let root = null;

  function leave() {
    if (!root?.popover) return false;
    root.hidePopover?.();
    root.removeAttribute("popover");
    root.classList.remove("troupe-full");
    return true;
  }

  function toggle() {
    if (leave() || !root.isConnected || !root.showPopover) return;
    root.setAttribute("popover", "manual"); // the top layer: no transform or edge of the graph reaches it
    root.classList.add("troupe-full");
    root.showPopover();
  }

  return {
    of(element) {
      root = element;
      root.addEventListener("keydown", (event) => {
        if (event.key !== "Escape" || event.defaultPrevented || !root.popover) return;
        event.preventDefault();
        event.stopPropagation();
        leave();
      });
    },
    toggle,
    leave,
  };
}
