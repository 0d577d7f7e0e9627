/** Pack data in zlib's format (RFC 1950, 1951) with its fixed codes, at once and without the browser. */

import { adler32 } from "./inflate.mjs";

const LONGEST_MATCH = 258;
const FARTHEST = 32768;

/** `data` as zlib data. */
export function deflate(data) {
  const bits = bitWriter();
  bits.put(1, 1); // the last block
  bits.put(1, 2); // with fixed codes
  const seen = new Map(); // the last place of every three bytes
  for (let at = 0; at < data.length; ) {
    const match = findMatch(data, at, seen);
    const length = match ? match.length : 1;
    if (match) putMatch(bits, match);
    else putSymbol(bits, data[at]);
    for (let i = at; i < at + length; i++) remember(data, i, seen);
    at += length;
  }
  putSymbol(bits, 256);
  const sum = adler32(data);
  return Uint8Array.from([0x78, 0x01, ...bits.bytes(), sum >>> 24, (sum >>> 16) & 255, (sum >>> 8) & 255, sum & 255]);
}

function keyAt(data, at) {
  return (data[at] << 16) | (data[at + 1] << 8) | data[at + 2];
}

function remember(data, at, seen) {
  if (at + 2 < data.length) seen.set(keyAt(data, at), at);
}

function findMatch(data, at, seen) {
  const from = at + 2 < data.length ? seen.get(keyAt(data, at)) : undefined;
  if (from === undefined || at - from > FARTHEST) return null;
  let length = 3;
  while (length < LONGEST_MATCH && at + length < data.length && data[from + length] === data[at + length]) length++;
  return { length, distance: at - from };
}

function bitWriter() {
  const out = [];
  let held = 0;
  let count = 0;
  return {
    put(value, length) {
      held |= value << count;
      count += length;
      while (count >= 8) {
        out.push(held & 255);
        held >>>= 8;
        count -= 8;
      }
    },
    /** Huffman codes go in from their highest bit. */
    putCode(code, length) {
      for (let i = length - 1; i >= 0; i--) this.put((code >> i) & 1, 1);
    },
    bytes: () => (count ? [...out, held & 255] : out),
  };
}

function putSymbol(bits, symbol) {
  if (symbol < 144) bits.putCode(0x30 + symbol, 8);
  else if (symbol < 256) bits.putCode(0x190 + symbol - 144, 9);
  else if (symbol < 280) bits.putCode(symbol - 256, 7);
  else bits.putCode(0xc0 + symbol - 280, 8);
}

function putMatch(bits, { length, distance }) {
  if (length === LONGEST_MATCH) putSymbol(bits, 285);
  else putRange(length - 3, 2, (code, extra, width) => (putSymbol(bits, 257 + code), bits.put(extra, width)));
  putRange(distance - 1, 1, (code, extra, width) => (bits.putCode(code, 5), bits.put(extra, width)));
}

/** The code and extra bits of a length (groups of four codes) or a distance (groups of two), counted from 0. */
function putRange(value, groupBits, write) {
  if (value < 2 << groupBits) return write(value, 0, 0);
  const width = 31 - Math.clz32(value) - groupBits;
  const top = value >>> width; // the leading bit and groupBits more
  return write(((width + 1) << groupBits) + top - (1 << groupBits), value & ((1 << width) - 1), width);
}
