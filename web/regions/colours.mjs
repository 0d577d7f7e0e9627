/** A colour per person: distinct from each other, on light and on dark ground. */

export const COLOURS = ["#e0457b", "#2f86eb", "#20a06a", "#e28413", "#8b5cf6", "#0ea5b7", "#d6463c", "#7f8c1d"];

/** The colour of the region at `index` when nobody chose one. */
export function colourAt(index) {
  return COLOURS[index % COLOURS.length];
}

/** The first colour that no region has, or the next one in turn. */
export function freeColour(regions) {
  const taken = new Set(regions.map(({ colour }) => colour));
  return COLOURS.find((colour) => !taken.has(colour)) ?? colourAt(regions.length);
}

/** Black or white, whichever is easier to read on a colour (WCAG relative luminance). */
export function readableOn(colour) {
  const [red, green, blue] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.4 ? "#111111" : "#ffffff";
}
