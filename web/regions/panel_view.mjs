/** The canvas in the properties panel, which knows no widgets with elements: it asks them to draw on a canvas of its own. */

/**
 * Have `widget` show a second view in the panel. `graphs` is the canvas that the graph is drawn on, `makeView()` gives
 * an editor (see editor.mjs) on the store of the first. A view ends when the panel drops it.
 */
export function showInPanel(widget, graphs, makeView) {
  const draw = widget.draw;
  let view = null;
  widget.draw = function (ctx, ...given) {
    const row = ctx?.canvas;
    if (!row || row === graphs() || !row.parentElement) return draw?.call(this, ctx, ...given);
    if (view?.root.parentElement === row.parentElement) return undefined;
    view?.detach();
    view = makeView();
    view.root.classList.add("troupe-in-panel");
    row.style.visibility = "hidden";
    row.parentElement.append(view.root);
    view.attach();
    endWhenGone(view);
    return undefined;
  };
}

function endWhenGone(view) {
  const look = () => (view.root.isConnected ? setTimeout(look, 1000) : view.detach());
  setTimeout(look, 1000);
}
