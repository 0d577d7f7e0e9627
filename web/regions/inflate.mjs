/** Unpack zlib data (RFC 1950, 1951), at once and without the browser: PNG files of painted masks. */

const LENGTH_BASE = [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];
const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCE_BASE = [1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577];
const DISTANCE_BITS = [0, 0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13];
const LENGTHS_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** What `data` unpacks to. Throws a RangeError for damaged data and for more than `most` bytes. */
export function inflate(data, most) {
  if (data.length < 6 || (data[0] & 15) !== 8 || (data[0] * 256 + data[1]) % 31 || data[1] & 32) fail();
  const bits = bitReader(data, 2);
  const out = { bytes: new Uint8Array(most), length: 0 };
  let last = 0;
  while (!last) {
    last = bits.take(1);
    const kind = bits.take(2);
    if (kind === 0) copyStored(bits, out);
    else if (kind === 1) copyPacked(bits, out, ...fixedCodes());
    else if (kind === 2) copyPacked(bits, out, ...readCodes(bits));
    else fail();
  }
  const bytes = out.bytes.subarray(0, out.length);
  const end = bits.alignedPosition();
  if (end + 4 > data.length || bigEndian(data, end) !== adler32(bytes)) fail();
  return bytes;
}

/** The checksum of zlib data. */
export function adler32(bytes) {
  let a = 1;
  let b = 0;
  for (const byte of bytes) {
    a = (a + byte) % 65521;
    b = (b + a) % 65521;
  }
  return ((b << 16) | a) >>> 0;
}

/** Four bytes as a number, the highest first. */
export function bigEndian(bytes, at) {
  return ((bytes[at] << 24) | (bytes[at + 1] << 16) | (bytes[at + 2] << 8) | bytes[at + 3]) >>> 0;
}

function fail() {
  throw new RangeError("damaged data");
}

function bitReader(data, start) {
  let position = start;
  let held = 0;
  let count = 0;
  return {
    take(wanted) {
      while (count < wanted) {
        if (position >= data.length) fail();
        held |= data[position++] << count;
        count += 8;
      }
      const value = held & ((1 << wanted) - 1);
      held >>>= wanted;
      count -= wanted;
      return value;
    },
    alignedPosition() {
      position -= count >> 3;
      held = count = 0;
      return position;
    },
    bytes(length) {
      const from = this.alignedPosition();
      if (from + length > data.length) fail();
      position = from + length;
      return data.subarray(from, position);
    },
  };
}

function put(out, byte) {
  if (out.length >= out.bytes.length) fail();
  out.bytes[out.length++] = byte;
}

function copyStored(bits, out) {
  const [low, high, notLow, notHigh] = bits.bytes(4);
  if ((low ^ 255) !== notLow || (high ^ 255) !== notHigh) fail();
  for (const byte of bits.bytes(low | (high << 8))) put(out, byte);
}

function copyPacked(bits, out, symbols, distances) {
  for (;;) {
    const symbol = next(bits, symbols);
    if (symbol === 256) return;
    if (symbol < 256) put(out, symbol);
    else copyMatch(bits, out, symbol - 257, distances);
  }
}

function copyMatch(bits, out, index, distances) {
  if (index >= LENGTH_BASE.length) fail();
  const length = LENGTH_BASE[index] + bits.take(LENGTH_BITS[index]);
  const code = next(bits, distances);
  if (code >= DISTANCE_BASE.length) fail();
  const distance = DISTANCE_BASE[code] + bits.take(DISTANCE_BITS[code]);
  if (distance > out.length) fail();
  for (let i = 0; i < length; i++) put(out, out.bytes[out.length - distance]);
}

/** A canonical Huffman code from the lengths of its symbols: how many there are of each length, and the symbols in order. */
function codeOf(lengths) {
  const counts = new Array(16).fill(0);
  for (const length of lengths) counts[length]++;
  counts[0] = 0;
  const symbols = [];
  for (let length = 1; length < 16; length++) {
    lengths.forEach((of, symbol) => of === length && symbols.push(symbol));
  }
  return { counts, symbols };
}

function next(bits, { counts, symbols }) {
  let code = 0;
  let first = 0;
  let index = 0;
  for (let length = 1; length < 16; length++) {
    code |= bits.take(1);
    if (code - first < counts[length]) return symbols[index + code - first];
    index += counts[length];
    first = (first + counts[length]) << 1;
    code <<= 1;
  }
  return fail();
}

function fixedCodes() {
  const lengths = Array.from({ length: 288 }, (_, i) => (i < 144 ? 8 : i < 256 ? 9 : i < 280 ? 7 : 8));
  return [codeOf(lengths), codeOf(new Array(30).fill(5))];
}

function readCodes(bits) {
  const symbols = bits.take(5) + 257;
  const distances = bits.take(5) + 1;
  const orders = new Array(19).fill(0);
  const given = bits.take(4) + 4;
  for (let i = 0; i < given; i++) orders[LENGTHS_ORDER[i]] = bits.take(3);
  const lengths = readLengths(bits, codeOf(orders), symbols + distances);
  return [codeOf(lengths.slice(0, symbols)), codeOf(lengths.slice(symbols))];
}

function readLengths(bits, code, wanted) {
  const lengths = [];
  while (lengths.length < wanted) {
    const symbol = next(bits, code);
    if (symbol < 16) lengths.push(symbol);
    else if (symbol === 16) repeat(lengths, lengths.at(-1) ?? fail(), 3 + bits.take(2));
    else if (symbol === 17) repeat(lengths, 0, 3 + bits.take(3));
    else repeat(lengths, 0, 11 + bits.take(7));
  }
  if (lengths.length > wanted) fail();
  return lengths;
}

function repeat(list, value, times) {
  for (let i = 0; i < times; i++) list.push(value);
}
