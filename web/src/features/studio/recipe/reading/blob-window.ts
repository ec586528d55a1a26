// Random access to a file of which only a few pieces are wanted: a clip of many megabytes is not read for the sake of a
// few hundred bytes.

/** Bytes fetched at once: headers lie close together, and every piece costs a round trip to the disk. */
const windowLength = 1 << 16;

export class BlobWindow {
  readonly length: number;
  readonly #blob: Blob;
  #start = 0;
  #bytes = new Uint8Array(0);

  constructor(blob: Blob) {
    this.#blob = blob;
    this.length = blob.size;
  }

  /** Bytes from `offset`; fewer than `length` at the end of the file. */
  async read(offset: number, length: number): Promise<Uint8Array> {
    const within = offset >= this.#start && offset + length <= this.#start + this.#bytes.length;
    if (!within) {
      const end = Math.min(this.length, offset + Math.max(length, windowLength));
      this.#bytes = new Uint8Array(await this.#blob.slice(offset, end).arrayBuffer());
      this.#start = offset;
    }
    const from = offset - this.#start;
    return this.#bytes.subarray(from, from + length);
  }
}

export function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

/** Four bytes as a name: "iTXt", "RIFF". */
export function fourLetters(bytes: Uint8Array, offset: number): string {
  return String.fromCharCode(...bytes.subarray(offset, offset + 4));
}

export function uint16(bytes: Uint8Array, offset: number): number {
  return ((bytes[offset] ?? 0) << 8) | (bytes[offset + 1] ?? 0);
}

export function uint32(bytes: Uint8Array, offset: number, littleEndian = false): number {
  if (bytes.length < offset + 4) return 0;
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(offset, littleEndian);
}
