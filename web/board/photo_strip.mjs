/** All photos of one person: which face is meant, one more, one less. */

import { element, iconButton, setLabel } from "../regions/elements.mjs";
import { MOST_PHOTOS, personOf, pointAtFace, takePhoto } from "./people.mjs";

/** { root, update(region) }; `to(document)` keeps a change. */
export function createPhotoStrip(board, region, to) {
  const { store, say, faces } = board;
  const root = element("div", { className: "troupe-strip" });
  const more = iconButton("plus", "", () => board.choosePhoto(region().name));
  let shown = "";

  function photoItem(photo) {
    const { thumb, state } = faces.of(photo);
    const picture = element("button", { type: "button", className: `troupe-thumb ${state}`, onclick: (event) => point(event, photo, picture) });
    if (thumb) picture.append(copyOf(thumb), ...(photo.face ? [marker(photo.face)] : []));
    setLabel(picture, `${photo.name}. ${say("point-at")}`);
    const away = iconButton("close", say("take-photo", { photo: photo.name }), () => to(takePhoto(store.state.document, region().name, photo.file)));
    return element("span", { className: "troupe-thumb-holder" }, picture, away);
  }

  function point(event, photo, picture) {
    if (!event.detail) return; // by key there is no place
    const box = picture.getBoundingClientRect();
    const at = (value, from, length) => Math.round(Math.min(Math.max((value - from) / length, 0), 1) * 1000) / 1000;
    to(pointAtFace(store.state.document, region().name, photo.file, [at(event.clientX, box.left, box.width), at(event.clientY, box.top, box.height)]));
  }

  return {
    root,
    update(next) {
      const { photos } = personOf(next);
      const key = JSON.stringify(photos.map((photo) => [photo, faces.of(photo).state]));
      setLabel(more, say("add-photo", { name: next.name }));
      more.disabled = photos.length >= MOST_PHOTOS;
      if (key === shown) return;
      shown = key;
      root.replaceChildren(...photos.map(photoItem), more);
    },
  };
}

function copyOf(thumb) {
  const canvas = element("canvas", { width: thumb.width, height: thumb.height });
  canvas.getContext("2d").drawImage(thumb, 0, 0);
  return canvas;
}

function marker([x, y]) {
  const dot = element("span", { className: "troupe-marker" });
  Object.assign(dot.style, { left: `${x * 100}%`, top: `${y * 100}%` });
  return dot;
}
