/** Draw the stage: the picture, the regions from back to front, and what helps to work on the selected one. */

import { drawLabels } from "./draw_labels.mjs";
import { drawScores, showsScores } from "./draw_scores.mjs";
import { HANDLES, handlePoint, turnPoint } from "./geometry.mjs";
import { backToFront } from "./hits.mjs";
import { maskPicture } from "./paint_mask.mjs";
import { STEM } from "./presses.mjs";
import { aspectOf, selected, shown } from "./store.mjs";
import { scaleOf, toStage } from "./zoom.mjs";

const GUIDE = "#ff3ea5";
const PLAIN = { portraitOf: () => null, linesIn: () => null, ghosts: () => [] };

/**
 * Everything, onto a context that is scaled to the pixels of `stage`. `theme` has the colours of the editor, and `look`
 * what else is shown of a region: portraitOf(region), a square canvas or null, linesIn(region), texts where nobody is
 * yet, or null, ghosts(), regions of others that can only be seen, and wordsOf(member), see draw_scores.mjs.
 */
export function draw(ctx, state, stage, theme, given = {}) {
  const look = { ...PLAIN, ...given };
  const aspect = aspectOf(state);
  const frame = {
    aspect, stage, state, look, theme,
    scale: scaleOf(state.view, stage, aspect),
    at: (point) => toStage(point, state.view, stage, aspect),
  };
  ctx.clearRect(0, 0, stage.width, stage.height);
  drawPicture(ctx, frame, theme);
  const chosen = selected(state);
  const stack = backToFront(shown(state).regions);
  const ghosts = look.ghosts();
  for (const region of [...stack, ...ghosts]) drawRegion(ctx, frame, region, region === chosen);
  if (showsScores(state)) drawScores(ctx, frame, [...stack, ...ghosts]);
  drawLabels(ctx, frame, [...stack, ...ghosts], chosen);
  if (chosen && !chosen.locked && ["select", "box", "ellipse"].includes(state.tool)) drawHandles(ctx, frame, chosen);
  for (const guide of state.guides) drawGuide(ctx, frame, guide);
  if (state.pointer && ["paint", "erase"].includes(state.tool)) drawBrush(ctx, frame);
}

function drawPicture(ctx, { at, state }, theme) {
  const [from, to] = [at({ x: 0, y: 0 }), at({ x: 1, y: 1 })];
  const [width, height] = [to.x - from.x, to.y - from.y];
  ctx.fillStyle = theme.paper;
  ctx.fillRect(from.x, from.y, width, height);
  if (state.picture) ctx.drawImage(state.picture, from.x, from.y, width, height);
  ctx.strokeStyle = theme.lines;
  ctx.lineWidth = 1;
  ctx.beginPath();
  for (const part of state.picture ? [] : [1 / 3, 2 / 3]) {
    ctx.moveTo(from.x + width * part, from.y);
    ctx.lineTo(from.x + width * part, to.y);
    ctx.moveTo(from.x, from.y + height * part);
    ctx.lineTo(to.x, from.y + height * part);
  }
  ctx.stroke();
  ctx.strokeStyle = theme.frame;
  ctx.strokeRect(from.x - 0.5, from.y - 0.5, width + 1, height + 1);
}

function drawRegion(ctx, frame, region, chosen) {
  ctx.save();
  const middle = frame.at({ x: region.x + region.width / 2, y: region.y + region.height / 2 });
  const width = region.width * frame.aspect * frame.scale;
  const height = region.height * frame.scale;
  ctx.translate(middle.x, middle.y);
  ctx.rotate((region.rotation * Math.PI) / 180);
  if (region.shape === "mask") drawMask(ctx, frame, region, width, height, chosen);
  else drawOutline(ctx, frame, region, width, height, chosen);
  ctx.restore();
}

function soften(ctx, { aspect, scale }, { feather }) {
  if (feather >= 0.001) ctx.filter = `blur(${(feather * Math.min(aspect, 1) * scale).toFixed(1)}px)`;
}

function drawOutline(ctx, frame, region, width, height, chosen) {
  ctx.beginPath();
  if (region.shape === "ellipse") ctx.ellipse(0, 0, width / 2, height / 2, 0, 0, Math.PI * 2);
  else ctx.roundRect(-width / 2, -height / 2, width, height, Math.min(3, width / 4, height / 4));
  ctx.fillStyle = region.colour;
  const lines = frame.look.linesIn(region);
  const held = frame.state.target === region.name;
  const clear = showsScores(frame.state);
  ctx.globalAlpha = held ? 0.5 : lines ? 0.08 : clear ? (chosen ? 0.12 : 0) : chosen ? 0.36 : 0.24;
  soften(ctx, frame, region);
  ctx.fill();
  ctx.filter = "none";
  ctx.globalAlpha = 1;
  ctx.strokeStyle = region.colour;
  ctx.lineWidth = chosen || held ? 2.5 : 1.5;
  if (region.locked) ctx.setLineDash([5, 4]);
  else if (lines) ctx.setLineDash([8, 5]);
  ctx.stroke();
  if (lines) drawLines(ctx, frame, region, lines, width, height);
}

/** Texts in the middle of a place, those that fit; upright, however the place is turned. */
function drawLines(ctx, { theme, state }, { rotation }, lines, width, height) {
  ctx.rotate((-rotation * Math.PI) / 180);
  ctx.setLineDash([]);
  ctx.font = "12px system-ui, sans-serif";
  ctx.textBaseline = "middle";
  ctx.textAlign = "center";
  ctx.fillStyle = state.picture ? "#ffffff" : theme.text;
  if (state.picture) [ctx.shadowColor, ctx.shadowBlur] = ["#000000", 5];
  const fitting = lines.filter((line) => ctx.measureText(line).width < width - 12).slice(0, Math.floor(height / 17));
  const shownLines = fitting.length ? fitting : ["+"];
  shownLines.forEach((line, index) => ctx.fillText(line, 0, (index - (shownLines.length - 1) / 2) * 17));
  ctx.textAlign = "start";
}

function drawMask(ctx, frame, region, width, height, chosen) {
  ctx.imageSmoothingEnabled = false;
  soften(ctx, frame, region);
  ctx.globalAlpha = showsScores(frame.state) ? 0.3 : chosen ? 1 : 0.75;
  ctx.drawImage(maskPicture(region.mask, region.colour), -width / 2, -height / 2, width, height);
  ctx.filter = "none";
  if (!chosen) return;
  ctx.strokeStyle = region.colour;
  ctx.setLineDash([4, 3]);
  ctx.strokeRect(-width / 2, -height / 2, width, height);
}

function drawHandles(ctx, { at, aspect, scale }, region) {
  ctx.fillStyle = "#ffffff";
  ctx.strokeStyle = region.colour;
  ctx.lineWidth = 1.5;
  if (region.shape !== "mask") {
    const [from, to] = [at(handlePoint(region, "n", aspect)), at(turnPoint(region, STEM / scale, aspect))];
    ctx.beginPath();
    ctx.moveTo(from.x, from.y);
    ctx.lineTo(to.x, to.y);
    ctx.stroke();
    ctx.beginPath();
    ctx.arc(to.x, to.y, 4.5, 0, Math.PI * 2);
    ctx.fill();
    ctx.stroke();
  }
  for (const handle of Object.keys(HANDLES)) {
    const { x, y } = at(handlePoint(region, handle, aspect));
    ctx.beginPath();
    ctx.roundRect(x - 4, y - 4, 8, 8, 2);
    ctx.fill();
    ctx.stroke();
  }
}

function drawGuide(ctx, { at, stage }, guide) {
  ctx.strokeStyle = GUIDE;
  ctx.lineWidth = 1;
  ctx.beginPath();
  const { x, y } = at({ x: guide.x ?? 0, y: guide.y ?? 0 });
  if (guide.x !== undefined) ctx.rect(x, 0, 0, stage.height);
  else ctx.rect(0, y, stage.width, 0);
  ctx.stroke();
}

function drawBrush(ctx, { at, aspect, scale, state }) {
  const { x, y } = at(state.pointer);
  const radius = (state.brush.size / 2) * Math.min(aspect, 1) * scale;
  for (const [colour, width] of [["#000000", 3], ["#ffffff", 1.25]]) {
    ctx.strokeStyle = colour;
    ctx.lineWidth = width;
    ctx.beginPath();
    ctx.arc(x, y, Math.max(radius, 2), 0, Math.PI * 2);
    ctx.stroke();
  }
}
