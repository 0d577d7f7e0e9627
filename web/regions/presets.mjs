/** Arrangements of people to start from: rows of { x, y, width, height, order }. */

const standing = (x, width, y = 0.1, order = 0) => ({ x, y, width, height: 0.98 - y, order });

export const PRESETS = {
  two: [standing(0.04, 0.44), standing(0.52, 0.44)],
  three: [standing(0.02, 0.3), standing(0.35, 0.3), standing(0.68, 0.3)],
  five: [
    standing(0.04, 0.3, 0.3), standing(0.35, 0.3, 0.34), standing(0.66, 0.3, 0.3),
    standing(0.18, 0.28, 0.06, 1), standing(0.54, 0.28, 0.06, 1),
  ],
  depth: [standing(0.06, 0.5, 0.2), standing(0.58, 0.26, 0.14, 1)],
};
