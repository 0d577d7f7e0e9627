/** Which part of the picture the stage shows: { zoom, x, y }, x and y of the picture in the middle of the stage. */

export const WHOLE = { zoom: 1, x: 0.5, y: 0.5 };
export const MOST_ZOOM = 16;
const MARGIN = 14;

/** Stage pixels per picture height. `stage` is { width, height } in pixels. */
export function scaleOf(view, stage, aspect) {
  const [width, height] = [Math.max(stage.width - 2 * MARGIN, 1), Math.max(stage.height - 2 * MARGIN, 1)];
  return Math.min(width / aspect, height) * view.zoom;
}

/** A point of the picture on the stage, in pixels. */
export function toStage(point, view, stage, aspect) {
  const scale = scaleOf(view, stage, aspect);
  return {
    x: stage.width / 2 + (point.x - view.x) * aspect * scale,
    y: stage.height / 2 + (point.y - view.y) * scale,
  };
}

/** The opposite of toStage. */
export function toPicture(at, view, stage, aspect) {
  const scale = scaleOf(view, stage, aspect);
  return {
    x: view.x + (at.x - stage.width / 2) / (aspect * scale),
    y: view.y + (at.y - stage.height / 2) / scale,
  };
}

/** Zoomed by a factor, with the stage's pixel `at` staying where it is. */
export function zoomedAt(view, factor, at, stage, aspect) {
  const zoom = Math.min(Math.max(view.zoom * factor, 1), MOST_ZOOM);
  const before = toPicture(at, view, stage, aspect);
  const after = toPicture(at, { ...view, zoom }, stage, aspect);
  return kept({ zoom, x: view.x + before.x - after.x, y: view.y + before.y - after.y });
}

/** Moved by some pixels of the stage. */
export function pannedBy(view, right, down, stage, aspect) {
  const scale = scaleOf(view, stage, aspect);
  return kept({ ...view, x: view.x - right / (aspect * scale), y: view.y - down / scale });
}

/** The whole picture stays in the middle; enlarged, some of it stays on the stage. */
function kept(view) {
  if (view.zoom <= 1) return WHOLE;
  const inside = (value) => Math.min(Math.max(value, 0), 1);
  return { ...view, x: inside(view.x), y: inside(view.y) };
}
