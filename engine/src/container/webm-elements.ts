// WebM files as EBML elements. Tags are blanked in place by a void element of the same length, so that all positions in
// the file's index stay true.

const SEGMENT = 0x18538067;
const TAGS = 0x1254c367;
const ATTACHMENTS = 0x1941a469;
const INFO = 0x1549a966;
const TITLE = 0x7ba9;
const VOID = 0xec;
const containers = new Set([SEGMENT, INFO]);

interface Element {
  readonly id: number;
  readonly start: number;
  readonly data: number;
  readonly end: number;
}

export function isWebm(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1a && bytes[1] === 0x45 && bytes[2] === 0xdf && bytes[3] === 0xa3;
}

export function stripWebm(bytes: Uint8Array): Uint8Array {
  const result = bytes.slice();
  for (const element of walk(result, 0, result.length)) {
    if (element.id === TAGS || element.id === ATTACHMENTS || element.id === TITLE) blank(result, element);
  }
  return result;
}

/** One byte of id, eight of length (its marker bit in the first), then zeros. Shorter elements take a short length. */
function blank(bytes: Uint8Array, { start, end }: Element): void {
  const total = end - start;
  bytes.fill(0, start, end);
  bytes[start] = VOID;
  if (total < 9) {
    bytes[start + 1] = 0x80 | (total - 2);
    return;
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + start, total);
  view.setBigUint64(1, BigInt(total - 9) | (1n << 56n));
}

function* walk(bytes: Uint8Array, from: number, to: number): Generator<Element> {
  for (let start = from; start < to; ) {
    const id = variableNumber(bytes, start, true);
    if (!id) return;
    const length = variableNumber(bytes, start + id.bytes, false);
    if (!length) return;
    const data = start + id.bytes + length.bytes;
    // A length of all ones means "to the end of the parent".
    const end = length.unknown ? to : data + length.value;
    if (end > to) return;
    yield { id: id.value, start, data, end };
    if (containers.has(id.value)) yield* walk(bytes, data, end);
    start = end;
  }
}

/** A number whose count of leading zero bits says how many bytes it has; ids keep their marker bit. */
function variableNumber(bytes: Uint8Array, at: number, keepMarker: boolean) {
  const first = bytes[at];
  if (first === undefined || first === 0) return null;
  const count = Math.clz32(first) - 23;
  if (at + count > bytes.length) return null;
  let value = keepMarker ? first : first & (0xff >> count);
  let unknown = value === 0xff >> count;
  for (let index = 1; index < count; index++) {
    const byte = bytes[at + index] ?? 0;
    unknown = unknown && byte === 0xff;
    value = value * 256 + byte;
  }
  return { value, bytes: count, unknown: unknown && !keepMarker };
}
