/** The cast board: the region canvas with people in its places, without anything of ComfyUI. */

import { takePictures } from "../photos/drop_zone.mjs";
import { createEditor } from "../regions/editor.mjs";
import { element } from "../regions/elements.mjs";
import { covers, backToFront } from "../regions/hits.mjs";
import { aspectOf } from "../regions/store.mjs";
import { toPicture } from "../regions/zoom.mjs";
import { cardsOf } from "./cards.mjs";
import { createFaces } from "./faces.mjs";
import { addPeople, changePerson, givePhotos, hasWords, inOrder, isEmpty, namedAfter, personOf, swap, takePhoto } from "./people.mjs";
import { ghostsOf, namedByRun } from "./wired.mjs";

const NO_FACE = /^no face on '(.+?)' of '/; // face/late_faces.py

/**
 * A board: what createEditor gives, with told(result), names(text) and failed(text) for what a run says. `host` is createEditor's,
 * with urlOf(file), where the browser finds a photo, and take(pictures), which uploads what was dropped and gives
 * [{ file, name }]; `parts` may hold the store of another view. The store has besides: wired, the members from the wire
 * (wired.mjs), problem, what is wrong with whom, and busy, while a photo is taken.
 */
export function createBoard(say, host, parts = {}) {
  const board = { faces: null, choosePhoto, problemOf };
  const waits = (region) => isEmpty(region) && !hasWords(region) && !region.ghostOf;
  const look = {
    portraitOf: (region) => (isEmpty(region) ? null : board.faces.portrait(personOf(region).photos[0])),
    linesIn: (region) => (waits(region) ? [say("drop-1"), say("drop-2"), region.name] : null),
    ghosts: () => ghostsOf(store.state.wired ?? []),
  };
  const editor = createEditor(say, host, { list: cardsOf(board), tidy: inOrder, look, clicked, ...parts });
  const { store, stage, root } = editor;
  const refresh = () => store.set({});
  board.faces = createFaces(host.urlOf, refresh);
  root.classList.add("troupe-board");
  const chooser = element("input", { type: "file", accept: "image/*", multiple: true, className: "troupe-hidden", tabIndex: -1, "aria-hidden": "true" });
  root.append(chooser);
  let chosenFor = null;
  chooser.addEventListener("change", () => {
    take({ files: [...chooser.files], addresses: [] }, chosenFor, false);
    chooser.value = "";
  });
  takePictures(root, (pictures, event) => take(pictures, personUnder(event), event.altKey), (event) => {
    const target = event ? personUnder(event) : null;
    if (target !== store.state.target) store.set({ target });
  });
  dragFaces(root, store, say);

  function choosePhoto(name) {
    chosenFor = name;
    chooser.click();
  }

  function clicked(name) {
    const region = store.state.document.regions.find((one) => one.name === name);
    const empty = Boolean(region && waits(region));
    if (empty) choosePhoto(name);
    return empty;
  }

  /** Whose place or card an event is on; a paste goes to the selected one who has no photo yet. */
  function personUnder(event) {
    if (event.type === "paste") return emptySelection();
    const card = event.target.closest?.("[data-person]");
    if (card) return card.dataset.person;
    if (event.target !== stage.canvas) return null;
    const point = toPicture(stage.pointAt(event), store.state.view, stage.size(), aspectOf(store.state));
    const front = backToFront(store.state.document.regions).reverse();
    return front.find((region) => covers(region, point, aspectOf(store.state)))?.name ?? null;
  }

  function emptySelection() {
    const region = store.state.document.regions.find(({ name }) => name === store.state.selection);
    return region && isEmpty(region) ? region.name : null;
  }

  /** Upload pictures and give them to a person, or to free places and new people. */
  async function take(pictures, name, replace) {
    if (store.state.broken) return;
    store.set({ busy: true });
    try {
      const photos = await host.take(pictures);
      store.set({ busy: false });
      if (photos.length) place(photos, name, replace);
    } catch (error) {
      store.set({ busy: false, status: say("not-taken", { reason: error.message }) });
    }
  }

  function place(photos, name, replace) {
    const { document } = store.state;
    store.set({ problem: null });
    for (const { file } of photos) board.faces.again(file);
    if (name && document.regions.some((region) => region.name === name)) {
      const gone = personOf(document.regions.find((region) => region.name === name)).photos.filter((photo) => board.faces.of(photo).state === "missing");
      const kept = gone.reduce((into, { file }) => takePhoto(into, name, file), document);
      const [after, own] = namedAfter(givePhotos(kept, name, photos, replace), name, photos[0], say("person"));
      store.keep(after, { selection: own, status: say("photos-added", { name: own }) });
      return;
    }
    const [after, names] = addPeople(document, photos, say("person"));
    if (names.length) store.keep(after, { selection: names.at(-1), status: say("added", { name: names.join(", ") }) });
    else store.set({ status: say("full") });
  }

  /** What is wrong with somebody, and what helps: { text, actions: [[text, act(name, store)]] }, or null. */
  function problemOf(region) {
    const missing = personOf(region).photos.find((photo) => board.faces.of(photo).state === "missing");
    const choose = [say("choose-other"), (name) => choosePhoto(name)];
    if (missing) return { text: say("photo-missing", { photo: missing.name }), actions: [choose] };
    const { problem } = store.state;
    if (problem?.person !== region.name) return null;
    const whole = [say("take-whole"), (name) => store.keep(changePerson(store.state.document, name, { whole: true }), { problem: null })];
    return { text: problem.text, actions: problem.noFace ? [choose, whole] : [] };
  }

  return {
    ...editor,
    /** Take pictures that were dropped on nobody in particular. */
    taken: (pictures) => take(pictures, null, false),
    /** What a run found: { lines, faces, wired }. */
    told(result) {
      const wired = result.wired?.length ? namedByRun(store.state.wired, result.wired) : store.state.wired;
      store.set({ problem: null, wired });
      board.faces.found(result.faces ?? []);
    },
    /** Whether a sentence is about a photo of somebody on this board. */
    names(text) {
      const photo = NO_FACE.exec(text);
      return Boolean(photo) && store.state.document.regions.some(({ name }) => text.includes(`' of '${name}'`));
    },
    /** Why a run failed, in the board's own sentence. */
    failed(text) {
      const person = store.state.document.regions.find(({ name }) => text.includes(`'${name}'`))?.name ?? null;
      const photo = NO_FACE.exec(text)?.[1];
      store.set({ problem: { person, noFace: Boolean(photo), text: photo ? say("no-face", { photo }) : text } });
    },
  };
}

/** Drag the face of one card onto another: the two people change places. */
function dragFaces(root, store, say) {
  let from = null;
  root.addEventListener("pointerdown", (event) => {
    const face = event.target.closest(".troupe-photo");
    from = face && event.button === 0 ? { name: face.closest("[data-person]").dataset.person, x: event.clientX, y: event.clientY } : null;
  });
  root.addEventListener("pointerup", (event) => {
    if (!from || Math.hypot(event.clientX - from.x, event.clientY - from.y) < 8) return;
    const under = document.elementFromPoint(event.clientX, event.clientY)?.closest?.("[data-person]")?.dataset.person;
    if (!under || under === from.name) return;
    const { name } = from;
    from = null;
    store.keep(swap(store.state.document, name, under), { selection: name, status: say("swapped", { one: name, other: under }) });
  });
}
