/** The canvas element: as many pixels as the screen shows of it, drawn anew when something changed. */

import { draw } from "./draw.mjs";
import { element } from "./elements.mjs";

const MOST_RATIO = 3;

/** { canvas, size(), pointAt(event), request(), attach() } for a store; attach returns detach, `look` is drawn as well. */
export function createStage(store, say, look) {
  const canvas = element("canvas", {
    className: "troupe-stage", tabIndex: 0, "aria-roledescription": say("canvas"), "aria-label": say("canvas"),
  });
  canvas.setAttribute("role", "application");
  let waiting = 0;
  const size = () => ({ width: canvas.clientWidth, height: canvas.clientHeight });
  const redraw = () => {
    waiting = 0;
    const stage = size();
    if (!stage.width || !stage.height) return;
    draw(fitted(canvas, stage), store.state, stage, theme(canvas), look);
  };
  const request = () => {
    waiting ||= requestAnimationFrame(redraw);
  };
  const attach = () => {
    const resized = new ResizeObserver(request);
    resized.observe(canvas);
    const recoloured = new MutationObserver(request);
    for (const top of [document.documentElement, document.body]) {
      recoloured.observe(top, { attributes: true, attributeFilter: ["class", "style"] });
    }
    const forget = store.subscribe(request);
    request();
    return () => {
      cancelAnimationFrame(waiting);
      waiting = 0;
      resized.disconnect();
      recoloured.disconnect();
      forget();
    };
  };
  return {
    canvas,
    size,
    request,
    attach,
    /** Where a pointer is, in the stage's own pixels, however much the graph is zoomed. */
    pointAt({ clientX, clientY }) {
      const box = canvas.getBoundingClientRect();
      const { width, height } = size();
      return { x: ((clientX - box.left) / box.width) * width, y: ((clientY - box.top) / box.height) * height };
    },
  };
}

/** The context, scaled so that it draws in the stage's pixels at the sharpness of the screen. */
function fitted(canvas, { width, height }) {
  const shown = canvas.getBoundingClientRect().width / width || 1;
  const ratio = Math.min(Math.max(devicePixelRatio * shown, 1), MOST_RATIO);
  const [wide, high] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== wide || canvas.height !== high) [canvas.width, canvas.height] = [wide, high];
  const ctx = canvas.getContext("2d");
  ctx.setTransform(wide / width, 0, 0, high / height, 0, 0);
  return ctx;
}

function theme(canvas) {
  const style = getComputedStyle(canvas);
  const read = (name) => style.getPropertyValue(name).trim();
  return { paper: read("--troupe-paper"), lines: read("--troupe-lines"), frame: read("--troupe-frame"), text: style.color };
}
