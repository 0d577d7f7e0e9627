// Painted masks as PNG files: what is packed here can be unpacked by zlib, and the other way round.

import assert from "node:assert/strict";
import { test } from "node:test";
import zlib from "node:zlib";

import { decodePng, encodePng } from "../../../web/regions/png.mjs";

let seed = 1;
const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;

function someMask(round) {
  const [width, height] = [1 + Math.floor(random() * 90), 1 + Math.floor(random() * 60)];
  const share = [0.02, 0.5, 0.98][round % 3];
  return { width, height, pixels: Uint8Array.from({ length: width * height }, () => (random() < share ? 1 : 0)) };
}

/** The places of the length fields, bodies and sums of a file's chunks. */
function* chunksOf(file) {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  for (let at = 8; at < file.length; at += 12 + view.getUint32(at)) {
    const length = view.getUint32(at);
    yield { kind: Buffer.from(file.subarray(at + 4, at + 8)).toString("latin1"), start: at + 8, length };
  }
}

const dataOf = (file) => {
  const { start, length } = [...chunksOf(file)].find(({ kind }) => kind === "IDAT");
  return file.subarray(start, start + length);
};

/** The file with other data in it, and the sum of its chunk put right: only what is inside can give it away. */
function withData(file, data) {
  const { start, length } = [...chunksOf(file)].find(({ kind }) => kind === "IDAT");
  const head = Buffer.from(file.subarray(0, start - 8));
  const body = Buffer.concat([Buffer.from("IDAT"), Buffer.from(data)]);
  const numbers = Buffer.alloc(8);
  numbers.writeUInt32BE(data.length, 0);
  numbers.writeUInt32BE(zlib.crc32(body), 4);
  const tail = Buffer.from(file.subarray(start + length + 4));
  return new Uint8Array(Buffer.concat([head, numbers.subarray(0, 4), body, numbers.subarray(4), tail]));
}

test("zlib unpacks what is packed here: filter byte, then eight pixels a byte", () => {
  for (let round = 0; round < 60; round++) {
    const mask = someMask(round);
    const rows = zlib.inflateSync(dataOf(encodePng(mask)));
    assert.equal(rows.length, (Math.ceil(mask.width / 8) + 1) * mask.height);
  }
});

test("what zlib packed is unpacked here, at every level and with every strategy", () => {
  for (let round = 0; round < 100; round++) {
    const mask = someMask(round);
    const file = encodePng(mask);
    const rows = zlib.inflateSync(dataOf(file));
    const again = withData(file, zlib.deflateSync(rows, { level: round % 10, strategy: round % 5 }));
    assert.deepEqual(decodePng(again), mask);
  }
});

test("damaged data is never a hang or another mask, also where the chunk's own sum was put right", () => {
  const mask = someMask(1);
  const file = encodePng(mask);
  const packed = dataOf(file);
  const damagedOrSame = (bytes) => {
    try {
      assert.deepEqual(decodePng(bytes), mask); // the library does not look at every byte that zlib looks at
    } catch (error) {
      assert.match(error.message, /damaged/);
    }
  };
  for (let at = 0; at < packed.length; at++) {
    const damaged = Uint8Array.from(packed, (byte, index) => (index === at ? byte ^ 0x55 : byte));
    damagedOrSame(withData(file, damaged));
    assert.throws(() => decodePng(Uint8Array.from(file, (byte, index) => (index === at + 41 ? byte ^ 0x55 : byte))), /damaged/);
    assert.throws(() => decodePng(withData(file, packed.subarray(0, at))), /damaged/, `cut at ${at}`);
  }
});

test("more than the picture's size is not unpacked, nor less", () => {
  const file = encodePng(someMask(0));
  assert.throws(() => decodePng(withData(file, zlib.deflateSync(new Uint8Array(1e6)))), /damaged/);
  assert.throws(() => decodePng(withData(file, zlib.deflateSync(new Uint8Array(3)))), /damaged/);
});

test("files that earlier versions wrote are read as they were", () => {
  const old =
    "iVBORw0KGgoAAAANSUhEUgAAABcAAAARAQAAAAAeCAoQAAAAK0lEQVR4AWM63M7H5D1Vi0krZAXTyuBlTMu8pzFN1QphClkZxBS8zIcYOQDrGhWrl6R2RAAAAABJRU5ErkJggg==";
  const pixels = Uint8Array.from({ length: 23 * 17 }, (_, i) => ((i * i) % 7 < 2 ? 1 : 0));
  assert.deepEqual(decodePng(new Uint8Array(Buffer.from(old, "base64"))), { width: 23, height: 17, pixels });
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
