// The container of WebP: chunks of a four-letter name, a length and data padded to an even length.

export interface RiffChunk {
  readonly name: string;
  readonly data: Uint8Array;
}

/** A chunk of one or more parts. */
export function chunk(name: string, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const bytes = new Uint8Array(8 + length + (length % 2));
  bytes.set(new TextEncoder().encode(name));
  bytes.set(uint32(length), 4);
  let offset = 8;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

/** A WebP file of finished chunks. */
export function riff(chunks: readonly Uint8Array[]): Uint8Array {
  return chunk("RIFF", new TextEncoder().encode("WEBP"), ...chunks);
}

/** Chunks of a WebP file; null when it is none or is cut off. */
export function parseRiff(bytes: Uint8Array): RiffChunk[] | null {
  const text = (from: number) => String.fromCharCode(...bytes.subarray(from, from + 4));
  if (bytes.length < 12 || text(0) !== "RIFF" || text(8) !== "WEBP") return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const chunks: RiffChunk[] = [];
  for (let offset = 12; offset < bytes.length; ) {
    if (offset + 8 > bytes.length) return null;
    const length = view.getUint32(offset + 4, true);
    if (offset + 8 + length > bytes.length) return null;
    chunks.push({ name: text(offset), data: bytes.subarray(offset + 8, offset + 8 + length) });
    offset += 8 + length + (length % 2);
  }
  return chunks;
}

export function uint24(value: number): number[] {
  return [value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff];
}

export function uint32(value: number): number[] {
  return [...uint24(value), (value >>> 24) & 0xff];
}
