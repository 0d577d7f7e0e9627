/** Which picture of the graph to draw on, told from the nodes around a Draw Regions node; only reads them. */

/** The node that an input is linked to, through reroutes; null when there is none. */
export function upstream(node, inputName) {
  let slot = node.inputs?.findIndex((input) => input.name === inputName) ?? -1;
  let at = node;
  for (let steps = 0; steps < 32 && slot >= 0; steps++) {
    const link = (at.graph && at.getInputLink?.(slot)) ?? null; // copies that are in no graph have no links
    at = link ? at.graph.getNodeById(link.origin_id) : null;
    if (!at || at.type !== "Reroute") return at;
    slot = 0;
  }
  return null;
}

/** Where the browser finds a picture that the server names; `run` tells pictures of the same name apart. */
export function viewPath({ filename, subfolder = "", type = "output" }, run = "") {
  return `/view?${new URLSearchParams({ filename, subfolder, type, run })}`;
}

/** The name by which the editor keeps a node's outputs: inside of a subgraph its definition's id goes first. */
function locatorOf(node) {
  const inside = node?.graph && node.graph.isRootGraph === false;
  return inside ? `${node.graph.id}:${node.id}` : String(node?.id);
}

/** The address of a node's picture: what it showed last, else the file that its "image" widget names; null if none. */
export function pictureOf(node, outputs, toUrl) {
  const shown = outputs?.[locatorOf(node)]?.images?.[0];
  if (shown?.filename) return toUrl(viewPath(shown));
  const file = node?.widgets?.find((widget) => widget.name === "image")?.value;
  if (typeof file !== "string" || !/\.(png|jpe?g|webp|gif|bmp|avif)( \[\w+\])?$/i.test(file)) return null;
  const [, path, type] = /^(.*?)(?: \[(\w+)\])?$/.exec(file);
  const cut = path.lastIndexOf("/");
  return toUrl(viewPath({ filename: path.slice(cut + 1), subfolder: path.slice(0, Math.max(cut, 0)), type: type ?? "input" }));
}

/** Width and height as the node's widgets say; null for one that is not a number. */
export function sizeOf(node) {
  const value = (name) => Number(node.widgets?.find((widget) => widget.name === name)?.value) || null;
  return { width: value("width"), height: value("height") };
}
