/** Registers the region canvas as the widget of Draw Regions; of its modules it alone touches ComfyUI's `app`. */

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { takeBeside, takePictures } from "./photos/drop_zone.mjs";
import { filesOf, keepPicture } from "./photos/upload.mjs";
import { createEditor } from "./regions/editor.mjs";
import { NATIVE_NAMES, speaker } from "./regions/language.mjs";
import { addStyles, chain, LANGUAGE, nodeCanvases } from "./regions/on_node.mjs";
import { upstream } from "./regions/pictures.mjs";

const WIDGET = "TROUPE_REGION_CANVAS"; // not a socket type: inputs of that type would all become canvases
const canvases = nodeCanvases({ app, api }, { type: WIDGET, size: { width: 420, height: 480 }, leastHeight: 380 });

function makeEditor(host, parts) {
  addStyles("./regions/editor.css", import.meta.url);
  return createEditor(speaker(canvases.language()), host, parts);
}

function createWidget(node, inputName, inputData) {
  const { editor, look, answer } = canvases.add(node, inputName, inputData, makeEditor);
  const say = speaker(canvases.language());
  chain(node, "onConfigure", () => {
    const socket = node.inputs.findIndex((input) => input.name === inputName && !input.widget);
    if (socket >= 0 && !node.isInputConnected(socket)) node.removeInput(socket); // saved when the text still was a text box
  });
  const take = (pictures) => {
    connectPicture(node, pictures).then(
      () => (editor.store.set({ background: "input" }), look()),
      (error) => editor.store.set({ status: say("not-taken", { reason: error.message }) }),
    );
  };
  takePictures(editor.root, take); // ends with the element
  takeBeside(node, take);
  return answer;
}

/** Connect a picture that was dropped: the connected Load Image shows it, or a new one beside the node. */
async function connectPicture(node, pictures) {
  const [picture] = await filesOf(pictures, (address) => fetch(address));
  if (!picture) return;
  const { file } = await keepPicture(picture, (path, options) => api.fetchApi(path, options));
  let source = upstream(node, "image");
  if (source?.comfyClass !== "LoadImage") {
    source = LiteGraph.createNode("LoadImage");
    source.pos = [node.pos[0] - source.size[0] - 40, node.pos[1]];
    node.graph.add(source);
    source.connect(0, node, node.inputs.findIndex((input) => input.name === "image"));
  }
  const widget = source.widgets.find(({ name }) => name === "image");
  widget.value = file;
  widget.callback?.(file);
  await new Promise(requestAnimationFrame); // its node shows it by then
  canvases.capture();
}

app.registerExtension({
  name: "Troupe.Regions",
  settings: [
    {
      id: LANGUAGE,
      name: "Language of the region canvas",
      category: ["Troupe", "Canvas", "Language"],
      tooltip: "Used by canvases that are opened from then on.",
      type: "combo",
      defaultValue: "auto",
      options: [{ text: "Automatic", value: "auto" }, ...Object.entries(NATIVE_NAMES).map(([value, text]) => ({ text, value }))],
    },
  ],
  setup: canvases.start,
  nodeCreated: canvases.faces(makeEditor),
  getCustomWidgets: () => ({ [WIDGET]: createWidget }),
});
