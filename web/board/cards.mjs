/** The list of cards: front to back. Cards are reused, so that typing is not interrupted. */

import { element, icon } from "../regions/elements.mjs";
import { shown } from "../regions/store.mjs";
import { createCard } from "./card.mjs";
import { MOST_PEOPLE, isEmpty, reorder } from "./people.mjs";
import { ghostsOf } from "./wired.mjs";

/** A createList (see region_list.mjs) for editor.mjs: `board` is what createCard needs, without store, say and leave. */
export function cardsOf(board) {
  return (store, say, leave) => {
    const cards = [];
    const rows = element("ul", { className: "troupe-cards", "aria-label": say("regions") });
    const wired = element("ul", { className: "troupe-wired", "aria-label": say("from-wire") });
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
        showWired(wired, state.wired ?? [], say);
        line.textContent = lineFor(regions, state, say);
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

function lineFor(regions, { busy, problem, wired, scores }, say) {
  if (busy) return say("line-busy");
  if (problem && !regions.some(({ name }) => name === problem.person)) return problem.text;
  const count = regions.filter((region) => !isEmpty(region)).length;
  const names = new Set([...regions, ...ghostsOf(wired ?? [])].map((region) => region.ghostOf ?? region.name));
  const scored = (scores ?? []).filter(({ region }) => names.has(region));
  const right = scored.filter((member) => member.right_place).length;
  const verdict = scored.length ? `${say("verdict", { right, count: scored.length })} ` : "";
  if (count === MOST_PEOPLE) return verdict + say("line-full", { count });
  return verdict + (count ? say("line-some", { count, places: regions.length }) : say("line-empty"));
}

/** Cards of members from the wire: who they are and where; what else they have is set where they come from. */
function showWired(list, members, say) {
  const key = JSON.stringify(members.map(({ name, region, colour }) => [name, region, colour]));
  if (list.dataset.shown === key) return;
  list.dataset.shown = key;
  list.replaceChildren(...members.map(({ name, region, colour }) => {
    const dot = element("span", { className: "troupe-dot" });
    if (colour) dot.style.background = colour;
    const where = region && region !== name ? `${region} · ${say("from-wire")}` : say("from-wire");
    return element("li", { className: "troupe-card" }, icon("lock"), dot, element("strong", {}, name), element("span", { className: "troupe-from" }, where));
  }));
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
