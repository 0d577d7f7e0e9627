/** What Score Cast read on the last result, over the picture: thin frames around faces, and a chip in each region. */

import { bounds } from "./geometry.mjs";

const FONT = "600 11px system-ui, sans-serif";
const HEIGHT = 18;
const GOOD = ["#0f3d22", "#86efac"]; // ground and letters
const WRONG = ["#4a2a06", "#fcd34d"];
const GONE = ["#4c1616", "#fca5a5"];

/** Whether the picture that is shown is the one that was scored. */
export const showsScores = (state) => Boolean(state.scores && state.picture && state.background === "result");

/** A function that gives what a chip says of a member, long and short. */
export function scoreWords(say) {
  return ({ name, own, right_place: right, face }) => {
    const state = face ? (right ? own.toFixed(2) : say("chip-wrong")) : say("chip-missing");
    return { long: face && right ? `${name} ${state}` : `${name}: ${state}`, short: state };
  };
}

/** Frames and chips of a frame (see draw.mjs) whose state shows scores. */
export function drawScores(ctx, frame, regions) {
  const { at, state, look } = frame;
  for (const { face } of state.scores) if (face) drawFace(ctx, at({ x: face[0], y: face[1] }), at({ x: face[2], y: face[3] }));
  ctx.font = FONT;
  ctx.textBaseline = "middle";
  for (const member of state.scores) {
    const region = regions.find((one) => (one.ghostOf ?? one.name) === member.region);
    if (region) drawChip(ctx, frame, region, member, look.wordsOf(member));
  }
}

function drawFace(ctx, from, to) {
  for (const [colour, width] of [["#000000", 3], ["#ffffff", 1.25]]) {
    ctx.strokeStyle = colour;
    ctx.globalAlpha = colour === "#ffffff" ? 1 : 0.45;
    ctx.lineWidth = width;
    ctx.beginPath();
    ctx.roundRect(from.x, from.y, to.x - from.x, to.y - from.y, 2);
    ctx.stroke();
  }
}

/** In the lower right corner of its region, as far as that is on the stage. */
function drawChip(ctx, { at, aspect, stage }, region, { face, right_place: right }, { long, short }) {
  const { left, right: end, bottom } = bounds(region, aspect);
  const [from, to] = [at({ x: left, y: bottom }), at({ x: end, y: bottom })];
  const fits = (text) => ctx.measureText(text).width + 16 <= to.x - from.x - 8;
  const text = fits(long) ? long : short;
  const width = ctx.measureText(text).width + 16;
  const x = Math.min(Math.max(to.x - width - 5, 2), Math.max(stage.width - width - 2, 2));
  const y = Math.min(to.y - HEIGHT - 5, stage.height - HEIGHT - 2);
  const [ground, letters] = face ? (right ? GOOD : WRONG) : GONE;
  ctx.fillStyle = ground;
  ctx.globalAlpha = 0.92;
  ctx.beginPath();
  ctx.roundRect(x, y, width, HEIGHT, HEIGHT / 2);
  ctx.fill();
  ctx.globalAlpha = 1;
  ctx.fillStyle = letters;
  ctx.fillText(text, x + 8, y + HEIGHT / 2 + 0.5);
}
