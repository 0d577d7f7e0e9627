/** Elements of the page, built in one expression, and the icons on buttons. */

const ICONS = {
  select: '<path d="M5 3l6.5 16 2.3-6.7L20.5 10z"/>',
  box: '<rect x="4" y="5" width="16" height="14" rx="1.5"/>',
  ellipse: '<ellipse cx="12" cy="12" rx="8.5" ry="7"/>',
  mask: '<path d="M4 13c0-5 3-9 7-8s3 4 6 5 4 5 1 8-8-1-10 1-4-2-4-6z"/>',
  paint: '<path d="M20 4c-4 2-8 6-10 9l2.5 2.500C15.5 13 19 9 20 4zM9 14.500c-2 0-3.5 1.5-3.5 3.5 0 1-.7 1.7-1.5 2 3 .8 7 .2 7-3z"/>',
  erase: '<path d="M9 19h11M5 14l8.5-8.5 5 5L11 18H8z"/>',
  duplicate: '<rect x="8" y="8" width="12" height="12" rx="1.5"/><path d="M16 8V5.500A1.5 1.5 0 0 0 14.5 4h-9A1.5 1.5 0 0 0 4 5.500v9A1.5 1.5 0 0 0 5.5 16H8"/>',
  remove: '<path d="M4.5 7h15M10 7V4.500h4V7M6.5 7l1 13h9l1-13M10 10.500v6M14 10.500v6"/>',
  forward: '<path class="filled" d="M12 12.5l8 4-8 4-8-4z"/><path d="M12 10V3.5M8.5 7L12 3.5 15.5 7"/>',
  backward: '<path class="filled" d="M12 3.5l8 4-8 4-8-4z"/><path d="M12 14v6.5M8.5 17l3.5 3.5 3.5-3.5"/>',
  snapping: '<path d="M5 4v7a7 7 0 0 0 14 0V4h-4.500v7a2.5 2.5 0 0 1-5 0V4zM5 8h4.500M14.5 8H19"/>',
  copy: '<path d="M9 4h6v3H9zM9 5.500H6.500A1.5 1.5 0 0 0 5 7v12a1.5 1.5 0 0 0 1.5 1.500h11A1.5 1.5 0 0 0 19 19V7a1.5 1.5 0 0 0-1.5-1.500H15M8.5 12h7M8.5 16h7"/>',
  paste: '<path d="M9 4h6v3H9zM9 5.500H6.500A1.5 1.5 0 0 0 5 7v12a1.5 1.5 0 0 0 1.5 1.500h11A1.5 1.5 0 0 0 19 19V7a1.5 1.5 0 0 0-1.5-1.500H15M12 10v7M9 14l3 3 3-3"/>',
  "zoom-in": '<circle cx="10.5" cy="10.5" r="6"/><path d="M15 15l5 5M8 10.500h5M10.5 8v5"/>',
  "zoom-out": '<circle cx="10.5" cy="10.5" r="6"/><path d="M15 15l5 5M8 10.500h5"/>',
  "zoom-whole": '<path d="M4 9V5.500A1.5 1.5 0 0 1 5.5 4H9M15 4h3.500A1.5 1.5 0 0 1 20 5.500V9M20 15v3.500a1.5 1.5 0 0 1-1.5 1.500H15M9 20H5.500A1.5 1.5 0 0 1 4 18.500V15"/>',
  lock: '<rect x="5.5" y="11" width="13" height="9" rx="1.5" class="filled"/><path d="M8.5 11V8a3.5 3.5 0 0 1 7 0v3"/>',
  unlock: '<rect x="5.5" y="11" width="13" height="9" rx="1.5"/><path d="M8.5 11V8a3.5 3.5 0 0 1 6.8-1.2"/>',
  up: '<path d="M6 14.500l6-6 6 6"/>',
  down: '<path d="M6 9.500l6 6 6-6"/>',
  "fill-window": '<path d="M14 4h6v6M20 4l-7 7M10 20H4v-6M4 20l7-7"/>',
  plus: '<path d="M12 5v14M5 12h14"/>',
  close: '<path d="M6 6l12 12M18 6L6 18"/>',
};

/** An element with properties (on... are listeners, dataset and aria-... attributes) and children. Text stays text. */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [key, value] of Object.entries(properties)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "dataset") Object.assign(made.dataset, value);
    else if (key in made && !key.startsWith("aria-")) made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

/** The drawing of an icon. */
export function icon(name) {
  const holder = element("span", { className: "troupe-icon", "aria-hidden": "true" });
  holder.innerHTML = `<svg viewBox="0 0 24 24">${ICONS[name]}</svg>`;
  return holder;
}

/** A button with an icon, named for those who see and for those who hear it. */
export function iconButton(name, label, onclick) {
  const button = element("button", { type: "button", className: "troupe-button", onclick }, icon(name));
  setLabel(button, label);
  button.dataset.command = name;
  return button;
}

export function setLabel(made, label) {
  if (made.title === label) return;
  made.title = label;
  made.setAttribute("aria-label", label);
}

/** Change what a button shows. */
export function setIcon(button, name) {
  if (button.dataset.icon === name) return;
  button.dataset.icon = name;
  button.replaceChildren(icon(name));
}

export function setPressed(button, pressed) {
  button.setAttribute("aria-pressed", String(pressed));
}
