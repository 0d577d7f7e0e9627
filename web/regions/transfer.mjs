/** Regions as JSON through the clipboard: keys, buttons, and a field to paste into where pages may not read it. */

import { decodeRegions, encodeRegions } from "./codec.mjs";
import { paste } from "./edits.mjs";
import { element } from "./elements.mjs";
import { selected } from "./store.mjs";

const TEXT_FIELDS = "textarea, input[type=text]";

/** { field, copy, paste, attach(root) }; attach returns detach. */
export function createTransfer(store, say) {
  const field = element("textarea", {
    className: "troupe-paste", hidden: true, placeholder: say("paste-here"), "aria-label": say("paste-here"), rows: 3,
  });
  const take = (text) => {
    try {
      const [after, names] = paste(store.state.document, decodeRegions(text).regions);
      store.keep(after, { selection: names.at(-1) ?? null, status: say("pasted", { count: names.length }) });
      return true;
    } catch (error) {
      store.set({ status: say("not-pasted", { reason: error.message }) });
      return false;
    }
  };
  const close = () => Object.assign(field, { hidden: true, value: "" });
  field.addEventListener("input", () => take(field.value) && close());
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape") close();
    if (event.key !== "Enter" || event.shiftKey) return;
    event.preventDefault();
    if (take(field.value)) close();
  });
  return {
    field,
    copy: () => copyText(store.text).then(() => store.set({ status: say("copied") })),
    paste() {
      field.hidden = !field.hidden;
      if (!field.hidden) field.focus();
    },
    attach: (root) => attach(root, store, take, say),
  };
}

/** Put a text on the clipboard, also where the page has no right to: outside of localhost and https. */
export async function copyText(text) {
  if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
  const area = element("textarea", { value: text });
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  return area.remove();
}

function attach(root, store, take, say) {
  const copy = (event) => {
    if (event.target.matches(TEXT_FIELDS)) return void event.stopPropagation();
    const region = selected(store.state);
    event.clipboardData.setData("text/plain", region ? encodeRegions({ regions: [region] }) : store.text);
    event.preventDefault();
    event.stopPropagation();
    store.set({ status: say("copied") });
  };
  const pasted = (event) => {
    event.stopPropagation();
    if (event.target.matches(TEXT_FIELDS)) return;
    event.preventDefault();
    take(event.clipboardData.getData("text/plain"));
  };
  root.addEventListener("copy", copy);
  root.addEventListener("paste", pasted);
  return () => {
    root.removeEventListener("copy", copy);
    root.removeEventListener("paste", pasted);
  };
}
