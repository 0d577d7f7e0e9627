/** Shows faces beside the files in Load Identity's list, in both of ComfyUI's renderers. */

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { nameOf } from "./identities/choices.mjs";
import { watchLists } from "./identities/open_lists.mjs";

const NODE = "Troupe_LoadIdentity";
const SIDE = 40; // pixels

/** Every file that a Load Identity of the graph offers. */
function offered() {
  const nodes = (app.graph?.nodes ?? []).filter((node) => node.comfyClass === NODE || node.type === NODE);
  return new Set(nodes.flatMap((node) => node.widgets?.find((widget) => widget.name === "file")?.options?.values ?? []));
}

function addFace(choice, file) {
  const face = document.createElement("img");
  face.className = "troupe-face";
  face.alt = "";
  face.src = api.apiURL(`/troupe/identity_picture?file=${encodeURIComponent(file)}`);
  Object.assign(face.style, {
    width: `${SIDE}px`,
    height: `${SIDE}px`,
    objectFit: "cover",
    borderRadius: "4px",
    marginRight: "8px",
    verticalAlign: "middle",
  });
  face.addEventListener("error", () => face.remove());
  choice.prepend(face);
}

function decorate(choice) {
  const file = nameOf(choice);
  if (file.endsWith(".safetensors") && !choice.querySelector(".troupe-face") && offered().has(file)) addFace(choice, file);
}

app.registerExtension({
  name: "Troupe.IdentityPicker",
  setup: () => watchLists(() => offered().size > 0, decorate),
});
