// MP4 files as boxes. Changes are made in place and keep every length, so that the offsets of the pictures stay true and
// the index stays in front.

const containers = new Set(["moov", "trak", "mdia"]);
const timed = new Set(["mvhd", "tkhd", "mdhd"]);

interface Box {
  readonly name: string;
  readonly start: number;
  readonly data: number;
  readonly end: number;
}

export function isMp4(bytes: Uint8Array): boolean {
  return bytes.length >= 8 && String.fromCharCode(...bytes.subarray(4, 8)) === "ftyp";
}

/** Blanks everything that describes the film (user data and metadata boxes): an empty box of the same length remains. */
export function stripMp4(bytes: Uint8Array): Uint8Array {
  const result = bytes.slice();
  for (const box of walk(result, 0, result.length)) {
    if (box.name === "udta" || box.name === "meta" || box.name === "uuid") {
      result.set(new TextEncoder().encode("free"), box.start + 4);
      result.fill(0, box.data, box.end);
    }
  }
  return result;
}

/** Sets all times of making to "unknown", in place: the same frames must give the same bytes. */
export function clearTimes(bytes: Uint8Array): void {
  for (const box of walk(bytes, 0, bytes.length)) {
    if (!timed.has(box.name)) continue;
    // Version 1 counts in 64 bits: creation and modification follow the version and three bytes of flags.
    const width = bytes[box.data] === 1 ? 16 : 8;
    bytes.fill(0, box.data + 4, box.data + 4 + width);
  }
}

function* walk(bytes: Uint8Array, from: number, to: number): Generator<Box> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let start = from; start + 8 <= to; ) {
    const short = view.getUint32(start);
    const long = short === 1;
    const length = long && start + 16 <= to ? Number(view.getBigUint64(start + 8)) : short === 0 ? to - start : short;
    const data = start + (long ? 16 : 8);
    if (length < data - start || start + length > to) return;
    const name = String.fromCharCode(...bytes.subarray(start + 4, start + 8));
    const box = { name, start, data, end: start + length };
    yield box;
    if (containers.has(name)) yield* walk(bytes, box.data, box.end);
    start = box.end;
  }
}
