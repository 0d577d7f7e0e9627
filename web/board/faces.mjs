/** The photos of a board as small pictures: the whole photo to choose a face on, and a square around the face. */

const THUMB = 320; // pixels along the longer side
const SIDE = 96; // pixels of a portrait
const AROUND = 1.7; // times the face
const GUESSED = 0.8; // of the shorter side, where no face was looked for

const boxes = new Map(); // file -> [x0, y0, x1, y1] in fractions, of the faces that runs took; for every board

/**
 * { of(photo), portrait(photo), found(entries) }. `urlOf(file)` is where the browser finds a photo, `changed()` is told
 * when one has come, or was found missing.
 */
export function createFaces(urlOf, changed) {
  const photos = new Map(); // file -> { state, thumb }
  const portraits = new Map();

  /** { state: "loading", "there" or "missing", thumb: a canvas or null } of a photo. */
  function of({ file }) {
    if (!photos.has(file)) {
      photos.set(file, { state: "loading", thumb: null });
      load(file);
    }
    return photos.get(file);
  }

  function load(file) {
    const image = new Image();
    image.onload = () => {
      photos.set(file, { state: "there", thumb: reduced(image) });
      changed();
    };
    image.onerror = () => {
      photos.set(file, { state: "missing", thumb: null });
      changed();
    };
    image.src = urlOf(file);
  }

  /** A square canvas of the face, or null while there is none. */
  function portrait(photo) {
    const { thumb } = of(photo);
    if (!thumb) return null;
    const key = `${photo.file} ${photo.face ?? ""} ${boxes.get(photo.file) ?? ""}`;
    if (!portraits.has(key)) portraits.set(key, squareOf(thumb, cutFor(thumb, photo, boxes.get(photo.file))));
    return portraits.get(key);
  }

  return {
    of,
    portrait,
    /** Try again what was missing: it may have been uploaded meanwhile. */
    again(file) {
      if (photos.get(file)?.state === "missing") photos.delete(file);
    },
    /** Take the boxes of faces that a run found: [{ file, box }]. */
    found(entries) {
      for (const { file, box } of entries) if (box) boxes.set(file, box);
      changed();
    },
  };
}

/** { x, y, side } in fractions of width, of a square around the face. */
function cutFor({ width, height }, photo, box) {
  if (box && (!photo.face || inside(photo.face, box))) {
    const [left, top, right, bottom] = [box[0] * width, box[1] * height, box[2] * width, box[3] * height];
    return { x: (left + right) / 2, y: (top + bottom) / 2, side: AROUND * Math.max(right - left, bottom - top) };
  }
  const side = Math.min(width, height);
  if (photo.face) return { x: photo.face[0] * width, y: photo.face[1] * height, side: side / 2 };
  return { x: width / 2, y: Math.min(height * 0.4, height / 2), side: side * GUESSED };
}

function inside([x, y], [left, top, right, bottom]) {
  return x >= left && x <= right && y >= top && y <= bottom;
}

function reduced(image) {
  const scale = Math.min(THUMB / Math.max(image.naturalWidth, image.naturalHeight), 1);
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(image.naturalWidth * scale));
  canvas.height = Math.max(1, Math.round(image.naturalHeight * scale));
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** The square, moved into the photo as far as it fits. */
function squareOf(thumb, { x, y, side }) {
  const size = Math.min(side, thumb.width, thumb.height);
  const fit = (at, length) => Math.min(Math.max(at - size / 2, 0), length - size);
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [SIDE, SIDE];
  canvas.getContext("2d").drawImage(thumb, fit(x, thumb.width), fit(y, thumb.height), size, size, 0, 0, SIDE, SIDE);
  return canvas;
}
