/** The choices of an open list, in the classic canvas (.litemenu-entry) and in Nodes 2.0 ([role=option]). */

const CHOICE = '.litemenu-entry, [role="option"]';

/** Lists that are open. */
export const LIST = '.litecontextmenu, [role="listbox"]';

/** All choices in an element that was added to the page, itself included. */
export function choicesIn(element) {
  const inside = [...element.querySelectorAll(CHOICE)];
  return element.matches(CHOICE) ? [element, ...inside] : inside;
}

/** What a choice stands for: its value where the list says so, else its text. */
export function nameOf(choice) {
  return (choice.dataset?.value || choice.textContent || "").trim();
}
