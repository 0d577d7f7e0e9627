/** Shows faces beside the files in Load Identity's list, in both of ComfyUI's renderers. */

import { api } from "../../scripts/api.js";
import { app } from "../../scripts/app.js";
import { choicesIn, LIST, nameOf } from "./identities/choices.mjs";

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

/** Faces for the choices of a list that was just opened, if it is one of identities. */
function decorate(added) {
  const choices = choicesIn(added);
  if (!choices.length) return;
  const files = offered();
  for (const choice of choices) {
    const file = nameOf(choice);
    if (files.has(file) && file.endsWith(".safetensors") && !choice.querySelector(".troupe-face")) addFace(choice, file);
  }
}

/** Watch the page from the press that may open a list until no list is open any more. */
const watcher = new MutationObserver((changes) => {
  for (const change of changes) {
    for (const added of change.addedNodes) if (added.nodeType === 1) decorate(added);
  }
});
let watching = 0; // a timer

function look() {
  if (watching || !offered().size) return;
  watcher.observe(document.body, { childList: true, subtree: true });
  watching = setInterval(() => {
    if (document.querySelector(LIST)) return;
    watcher.disconnect();
    clearInterval(watching);
    watching = 0;
  }, 1000);
}

app.registerExtension({
  name: "Troupe.IdentityPicker",
  setup() {
    for (const kind of ["pointerdown", "keydown"]) window.addEventListener(kind, look, { capture: true, passive: true });
  },
});
