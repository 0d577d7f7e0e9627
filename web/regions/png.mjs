/** Painted masks as 1-bit PNG files: { width, height, pixels }, a byte of 0 or 1 for each pixel, row by row. */

import { unzlibSync, zlibSync } from "../vendor/fflate.mjs";

export const LONGEST_SIDE = 256;
export const MOST_BYTES = 8192;

const SIGNATURE = [137, 80, 78, 71, 13, 10, 26, 10];
const MODES = { 0: "L", 2: "RGB", 3: "P", 4: "LA", 6: "RGBA" };

/** The PNG file of a mask, as bytes. */
export function encodePng({ width, height, pixels }) {
  const header = [...numberBytes(width), ...numberBytes(height), 1, 0, 0, 0, 0];
  const data = zlibSync(filteredRows(width, height, pixels), { level: 9 });
  return Uint8Array.from([...SIGNATURE, ...chunk("IHDR", header), ...chunk("IDAT", data), ...chunk("IEND", [])]);
}

/** The mask of a PNG file. Throws an Error that says what is wrong, as part of a sentence. */
export function decodePng(bytes) {
  const { header, data } = readChunks(bytes);
  const [width, height] = [bigEndian(header, 0), bigEndian(header, 4)];
  if (Math.max(width, height) > LONGEST_SIDE) {
    throw new Error(`is ${width} x ${height} pixels, at most ${LONGEST_SIDE} a side are possible`);
  }
  const [depth, colours, , , interlaced] = header.subarray(8);
  if (depth !== 1 || colours !== 0 || interlaced) {
    const mode = MODES[colours] ?? "unknown";
    throw new Error(`is a PNG of mode ${mode}, it should be black and white with 1 bit per pixel`);
  }
  const stride = Math.ceil(width / 8) + 1;
  return { width, height, pixels: unfiltered(unpacked(data, stride * height), width, height) };
}

function damaged() {
  return new Error("is not a PNG file, or a damaged one");
}

/** `length` bytes of zlib data. The library checks no sum and stops at the end of the room it is given: one byte more. */
function unpacked(data, length) {
  let bytes;
  try {
    bytes = unzlibSync(data, { out: new Uint8Array(length + 1) });
  } catch {
    throw damaged();
  }
  if (bytes.length !== length || adler32(bytes) !== bigEndian(data, data.length - 4)) throw damaged();
  return bytes;
}

/** Every row with the filter byte "up" before it: rows that equal the one above become zeros. */
function filteredRows(width, height, pixels) {
  const stride = Math.ceil(width / 8);
  const out = new Uint8Array((stride + 1) * height);
  let above = new Uint8Array(stride);
  for (let y = 0; y < height; y++) {
    const row = new Uint8Array(stride);
    for (let x = 0; x < width; x++) if (pixels[y * width + x]) row[x >> 3] |= 128 >> (x & 7);
    out[y * (stride + 1)] = 2;
    for (let i = 0; i < stride; i++) out[y * (stride + 1) + 1 + i] = row[i] - above[i];
    above = row;
  }
  return out;
}

function unfiltered(bytes, width, height) {
  const stride = Math.ceil(width / 8);
  const pixels = new Uint8Array(width * height);
  let above = new Uint8Array(stride);
  for (let y = 0; y < height; y++) {
    const start = y * (stride + 1);
    const row = bytes.slice(start + 1, start + 1 + stride);
    undoFilter(bytes[start], row, above);
    for (let x = 0; x < width; x++) pixels[y * width + x] = (row[x >> 3] >> (7 - (x & 7))) & 1;
    above = row;
  }
  return pixels;
}

function undoFilter(kind, row, above) {
  if (kind > 4) throw damaged();
  for (let i = 0; i < row.length; i++) {
    const [left, up, corner] = [row[i - 1] ?? 0, above[i], above[i - 1] ?? 0];
    row[i] += [0, left, up, (left + up) >> 1, paeth(left, up, corner)][kind];
  }
}

function paeth(left, up, corner) {
  const [a, b, c] = [left, up, corner].map((value) => Math.abs(left + up - corner - value));
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

function readChunks(bytes) {
  if (SIGNATURE.some((byte, i) => bytes[i] !== byte)) throw damaged();
  const data = [];
  let header = null;
  for (let at = 8; at + 12 <= bytes.length; ) {
    const length = bigEndian(bytes, at);
    const body = bytes.subarray(at + 8, at + 8 + length);
    const kind = String.fromCharCode(...bytes.subarray(at + 4, at + 8));
    const whole = bytes.subarray(at + 4, at + 8 + length);
    if (at + 12 + length > bytes.length || crc32(whole) !== bigEndian(bytes, at + 8 + length)) throw damaged();
    if (kind === "IHDR" && length === 13) header = body;
    if (kind === "IDAT") data.push(...body);
    if (kind === "IEND") break;
    at += 12 + length;
  }
  if (!header || !bigEndian(header, 0) || !bigEndian(header, 4)) throw damaged();
  return { header, data: Uint8Array.from(data) };
}

function chunk(kind, body) {
  const whole = [...kind].map((letter) => letter.charCodeAt(0)).concat(...[Array.from(body)]);
  return [...numberBytes(body.length), ...whole, ...numberBytes(crc32(whole))];
}

function numberBytes(number) {
  return [number >>> 24, (number >>> 16) & 255, (number >>> 8) & 255, number & 255];
}

function bigEndian(bytes, at) {
  return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
}

function adler32(bytes) {
  let [low, high] = [1, 0];
  for (const byte of bytes) {
    low = (low + byte) % 65521;
    high = (high + low) % 65521;
  }
  return ((high << 16) | low) >>> 0;
}

const CRC_TABLE = Array.from({ length: 256 }, (_, n) => {
  for (let i = 0; i < 8; i++) n = n & 1 ? (n >>> 1) ^ 0xedb88320 : n >>> 1;
  return n >>> 0;
});

function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = CRC_TABLE[(crc ^ byte) & 255] ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}
