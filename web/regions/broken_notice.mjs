/** What is shown instead of regions when the text cannot be read: why, and two ways out that lose nothing. */

import { element } from "./elements.mjs";
import { copyText } from "./transfer.mjs";

/** { notice, update(state) }. */
export function createNotice(store, say) {
  const reason = element("p");
  const copy = element("button", { type: "button", onclick: () => copyText(store.text) }, say("copy-text"));
  const afresh = element("button", { type: "button", onclick: () => store.keep({ regions: [], extra: {} }) }, say("afresh"));
  const notice = element(
    "div",
    { className: "troupe-broken", role: "alert", hidden: true },
    element("strong", {}, say("broken")),
    reason,
    element("p", {}, say("broken-kept")),
    element("div", {}, copy, afresh),
  );
  return {
    notice,
    update({ broken }) {
      notice.hidden = !broken;
      const text = (broken ?? "").replace(/^Troupe, Draw Regions: /, ""); // the board reads the same text
      if (reason.textContent !== text) reason.textContent = text;
    },
  };
}
