// Painted masks as PNG files: what is packed here can be unpacked by zlib, and the other way round.

import assert from "node:assert/strict";
import { test } from "node:test";
import zlib from "node:zlib";

import { deflate } from "../../../web/regions/deflate.mjs";
import { inflate } from "../../../web/regions/inflate.mjs";
import { decodePng, encodePng } from "../../../web/regions/png.mjs";

let seed = 1;
const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;

function someBytes(round) {
  const values = [1, 2, 256][round % 3];
  return Uint8Array.from({ length: Math.floor(random() * 3000) }, () => (random() < 0.8 ? 0 : random() * values));
}

test("zlib unpacks what is packed here", () => {
  for (let round = 0; round < 200; round++) {
    const data = someBytes(round);
    assert.deepEqual(new Uint8Array(zlib.inflateSync(deflate(data))), data);
  }
});

test("what zlib packed is unpacked here, at every level", () => {
  for (let round = 0; round < 200; round++) {
    const data = someBytes(round);
    assert.deepEqual(inflate(zlib.deflateSync(data, { level: round % 10 }), data.length), data);
  }
});

test("damaged data is an error and never a hang", () => {
  const packed = zlib.deflateSync(someBytes(2));
  for (let at = 0; at < packed.length; at += 7) {
    const damaged = Uint8Array.from(packed, (byte, index) => (index === at ? byte ^ 0x55 : byte));
    assert.throws(() => inflate(damaged, 4000), RangeError);
    assert.throws(() => inflate(packed.subarray(0, at), 4000), RangeError);
  }
});

test("more than what was asked for is not unpacked", () => {
  assert.throws(() => inflate(zlib.deflateSync(new Uint8Array(1e6)), 1000), RangeError);
});

test("a mask of any size survives", () => {
  for (const [width, height] of [[1, 1], [7, 3], [8, 8], [9, 200], [256, 256]]) {
    const mask = { width, height, pixels: Uint8Array.from({ length: width * height }, () => (random() < 0.3 ? 1 : 0)) };
    assert.deepEqual(decodePng(encodePng(mask)), mask);
  }
});

test("what people paint takes little", () => {
  const pixels = Uint8Array.from({ length: 256 * 256 }, (_, i) => (Math.hypot((i % 256) - 128, (i >> 8) - 100) < 90 ? 1 : 0));

  assert.ok(encodePng({ width: 256, height: 256, pixels }).length < 1500);
});
