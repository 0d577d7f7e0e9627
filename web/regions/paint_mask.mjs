/** Painted masks as pictures in a region's colour, kept as long as the mask lives. */

const pictures = new WeakMap();
const INSIDE = 110;
const EDGE = 255;

/** A canvas of the mask's size: its inside is tinted, its edge is strong. */
export function maskPicture(mask, colour) {
  const kept = pictures.get(mask);
  if (kept?.colour === colour) return kept.canvas;
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [mask.width, mask.height];
  canvas.getContext("2d").putImageData(tinted(mask, colour), 0, 0);
  pictures.set(mask, { canvas, colour });
  return canvas;
}

function tinted({ width, height, pixels }, colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  const image = new ImageData(width, height);
  const words = new Uint32Array(image.data.buffer);
  const tint = (blue << 16) | (green << 8) | red;
  const [inside, edge] = [((INSIDE << 24) | tint) >>> 0, ((EDGE << 24) | tint) >>> 0];
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at++) {
      if (!pixels[at]) continue;
      const within = x > 0 && x < width - 1 && y > 0 && y < height - 1
        && pixels[at - 1] && pixels[at + 1] && pixels[at - width] && pixels[at + width];
      words[at] = within ? inside : edge;
    }
  }
  return image;
}
