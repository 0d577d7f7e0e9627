/** Names, and faces where there are any, drawn where labels.mjs finds room for them. */

import { readableOn } from "./colours.mjs";
import { HEIGHT, placeLabels } from "./labels.mjs";

const PORTRAIT = 34; // pixels
const FONT = "600 11px system-ui, sans-serif";

/** The labels of a frame (see draw.mjs), for `stack`, the regions from back to front. */
export function drawLabels(ctx, { at, aspect, stage, scale, look }, stack, chosen) {
  ctx.font = FONT;
  ctx.textBaseline = "middle";
  const named = stack.filter((region) => !look.linesIn(region));
  const room = (region) => (look.portraitOf(region) ? PORTRAIT + 4 : 0);
  const across = (region) => (room(region) ? region.width * aspect * scale - room(region) - 12 : Infinity);
  const texts = new Map(named.map((region) => [region.name, shortened(ctx, region.name, across(region))]));
  const widthOf = (region) => (texts.get(region.name) ? ctx.measureText(texts.get(region.name)).width + 12 : 0) + room(region);
  const heightOf = (region) => Math.max(room(region), HEIGHT);
  const labels = placeLabels([...named].reverse(), { at, aspect, stage, widthOf, heightOf, first: chosen?.name });
  for (const { name, x, y, width, height } of labels.reverse()) {
    const region = stack.find((one) => one.name === name);
    ctx.globalAlpha = region === chosen ? 1 : 0.9;
    ctx.fillStyle = region.colour;
    ctx.beginPath();
    ctx.roundRect(x, y, width, height, [3, 0, 6, 0]);
    ctx.fill();
    ctx.globalAlpha = 1;
    ctx.fillStyle = readableOn(region.colour);
    ctx.fillText(texts.get(name), x + 6 + room(region), y + height / 2 + 0.5);
    if (room(region)) drawPortrait(ctx, look.portraitOf(region), x + 2, y + 2);
  }
}

/** A name of at most 24 letters, and beside a face not wider than the person's place; empty where nothing fits. */
function shortened(ctx, name, width) {
  let text = name.length > 24 ? `${name.slice(0, 23)}…` : name;
  while (text && ctx.measureText(text).width > width) text = text.length > 2 ? `${text.slice(0, -2)}…` : "";
  return text;
}

function drawPortrait(ctx, portrait, x, y) {
  const radius = PORTRAIT / 2;
  ctx.save();
  ctx.beginPath();
  ctx.arc(x + radius, y + radius, radius, 0, Math.PI * 2);
  ctx.clip();
  ctx.drawImage(portrait, x, y, PORTRAIT, PORTRAIT);
  ctx.restore();
  ctx.strokeStyle = "#ffffff";
  ctx.lineWidth = 1.5;
  ctx.beginPath();
  ctx.arc(x + radius, y + radius, radius, 0, Math.PI * 2);
  ctx.stroke();
}
