/**
 * The canvas on the face of a subgraph. ComfyUI projects a promoted input there by its type, and knows nothing of ours,
 * so the host node gets an element of its own, on the host's value. Everything used here is the editor's inner matter:
 * where a name is missing, the face stays as it was, and the canvas inside works as before.
 */

/**
 * Have subgraph nodes show canvases of a kind. `type` is the widget's, `domWidget` is window.comfyAPI.domWidget, and
 * makeFace({ node, source, bridge }) gives { editor, options }, options as addDOMWidget takes them: `node` is the subgraph
 * node, `source` the widget inside, and bridge.value the text of this node. Returns what `nodeCreated` is to be called with.
 */
export function facesOf(type, domWidget, makeFace) {
  return (node) => {
    const before = node.createPromotedHostWidget;
    if (!node.isSubgraphNode?.() || typeof before !== "function") return;
    if (typeof node._projectPromotedWidget !== "function" || !domWidget()?.DOMWidgetImpl) return;
    node.createPromotedHostWidget = function (input, widgetId, source) {
      if (source?.type !== type) return before.call(this, input, widgetId, source);
      if (this.graph?.getNodeById(this.id) !== this) return undefined; // slots of a copy that is in no graph
      try {
        return faceOf(this, input, source, domWidget(), makeFace);
      } catch (error) {
        console.warn("Troupe: this front end cannot show the canvas on a subgraph.", error);
        return undefined;
      }
    };
  };
}

function faceOf(node, input, source, { DOMWidgetImpl, addWidget }, makeFace) {
  const bridge = node._projectPromotedWidget(input);
  input._widget = undefined; // it keeps what it projects
  const { editor, options } = makeFace({ node, source, bridge });
  const widget = new DOMWidgetImpl({ node, name: bridge.name, type: source.type, element: editor.root, options });
  Object.defineProperty(widget, "value", {
    get: () => bridge.value ?? "",
    set(text) {
      bridge.value = text;
      editor.store.load(text);
    },
  });
  Object.defineProperty(widget, "widgetId", { value: input.widgetId });
  addWidget({ addCustomWidget() {}, graph: node.graph }, widget); // on the page, and not among the node's own widgets
  return widget;
}
