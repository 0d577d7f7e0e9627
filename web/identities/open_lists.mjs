/** Lists that the user opens in the editor: told of every choice that appears in one, in both renderers. */

import { choicesIn, LIST } from "./choices.mjs";

/** From the press that may open a list until none is open any more, call see(choice) for each, where wanted() says so. */
export function watchLists(wanted, see) {
  let watching = 0; // a timer
  const watcher = new MutationObserver((changes) => {
    for (const change of changes) {
      for (const added of change.addedNodes) if (added.nodeType === 1) choicesIn(added).forEach(see);
    }
  });

  function look() {
    if (watching || !wanted()) return;
    watcher.observe(document.body, { childList: true, subtree: true });
    watching = setInterval(() => {
      if (document.querySelector(LIST)) return;
      watcher.disconnect();
      clearInterval(watching);
      watching = 0;
    }, 1000);
  }

  for (const kind of ["pointerdown", "keydown"]) window.addEventListener(kind, look, { capture: true, passive: true });
}
