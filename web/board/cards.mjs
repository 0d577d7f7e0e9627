/** The list of cards: front to back. Cards are reused, so that typing is not interrupted. */

import { element } from "../regions/elements.mjs";
import { shown } from "../regions/store.mjs";
import { createCard } from "./card.mjs";
import { MOST_PEOPLE, isEmpty, reorder } from "./people.mjs";

/** A createList (see region_list.mjs) for editor.mjs: `board` is what createCard needs, without store, say and leave. */
export function cardsOf(board) {
  return (store, say, leave) => {
    const cards = [];
    const rows = element("ul", { className: "troupe-cards", "aria-label": say("regions") });
    const wired = element("ul", { className: "troupe-wired" });
    const line = element("p", { className: "troupe-line", role: "status" });
    const list = element("div", { className: "troupe-list-of-cards" }, wired, rows, line);
    rows.dataset.captureWheel = "true";
    const common = Object.assign(board, { store, say, leave, drag: (event, card) => dragCard(event, card, cards, store) });
    return {
      list,
      update(state) {
        const { regions } = shown(state);
        while (cards.length < regions.length) rows.append(cards[cards.push(createCard(common)) - 1].item);
        while (cards.length > regions.length) cards.pop().item.remove();
        regions.forEach((region, index) => cards[index].update(region, region.name === state.selection));
        showWired(wired, board.result?.wired ?? [], say);
        line.textContent = lineFor(regions, board, say);
      },
      editName({ name }) {
        const card = cards.find((one) => one.region().name === name);
        card?.item.scrollIntoView?.({ block: "nearest", container: "nearest" });
        card?.name.focus({ preventScroll: true });
        card?.name.select();
      },
    };
  };
}

function lineFor(regions, board, say) {
  if (board.busy) return say("line-busy");
  if (board.problem && !regions.some(({ name }) => name === board.problem.person)) return board.problem.text;
  const count = regions.filter((region) => !isEmpty(region)).length;
  if (count === MOST_PEOPLE) return say("line-full", { count });
  return count ? say("line-some", { count, places: regions.length }) : say("line-empty");
}

function showWired(list, names, say) {
  if (list.dataset.names === names.join("\n")) return;
  list.dataset.names = names.join("\n");
  list.replaceChildren(...names.map((name) => element("li", {}, say("wired", { name }))));
}

/** Drag a card by its grip: the others make room, and the order is kept when it is let go; Escape gives up. */
function dragCard(event, card, cards, store) {
  if (event.button !== 0) return;
  event.preventDefault();
  event.stopPropagation();
  const grip = event.currentTarget;
  grip.setPointerCapture(event.pointerId);
  card.item.classList.add("dragged");
  let to = cards.indexOf(card);
  const from = to;
  const middleOf = (one) => {
    const { top, height } = one.item.getBoundingClientRect();
    return top + height / 2;
  };
  const move = ({ clientY }) => {
    const others = cards.filter((one) => one !== card);
    to = others.filter((one) => middleOf(one) < clientY).length;
    others.forEach((one, index) => one.item.classList.toggle("before", index === to && to !== from));
    others.at(-1)?.item.classList.toggle("after", to === others.length && to !== from);
  };
  const end = (keep) => {
    for (const one of cards) one.item.classList.remove("dragged", "before", "after");
    for (const [kind, listener] of Object.entries(listeners)) grip.removeEventListener(kind, listener);
    if (!keep || to === from) return;
    store.keep(reorder(store.state.document, card.region().name, to));
  };
  const listeners = {
    pointermove: move,
    pointerup: () => end(true),
    pointercancel: () => end(false),
    keydown: (key) => key.key === "Escape" && end(false),
  };
  for (const [kind, listener] of Object.entries(listeners)) grip.addEventListener(kind, listener);
}
