// Opens pictures and clips and says what they really are.
import { ALL_FORMATS, BufferSource, Input } from "mediabunny";
import sharp from "sharp";
import { Broken } from "./probe.ts";

export interface Seen {
  readonly width: number;
  readonly height: number;
  readonly frames: number;
  readonly fps: number;
}

/** Decodes a still or animated picture, every pixel of it. Throws Broken. */
export async function decodePicture(bytes: Uint8Array, contentType: string): Promise<Seen & { pixels: Buffer }> {
  try {
    const { format, width, height, pages = 1 } = await sharp(bytes).metadata();
    if (`image/${format}` !== contentType) throw new Broken(`a file said to be ${contentType} is image/${format}`);
    const pixels = await sharp(bytes, { failOn: "error", pages: 1 }).raw().toBuffer();
    return { width, height, frames: pages, fps: 0, pixels };
  } catch (error) {
    if (error instanceof Broken) throw error;
    throw new Broken(`a file said to be ${contentType} cannot be decoded: ${String(error)}`);
  }
}

/** Reads a clip: its sides, and its pictures counted one by one. Throws Broken. */
export async function inspectClip(bytes: Uint8Array, contentType: string): Promise<Seen> {
  try {
    const input = new Input({ formats: ALL_FORMATS, source: new BufferSource(bytes) });
    const type = (await input.getMimeType()).split(";")[0];
    if (type !== contentType) throw new Broken(`a file said to be ${contentType} is ${type}`);
    const track = await input.getPrimaryVideoTrack();
    if (track === null) throw new Broken("the clip holds no pictures");
    const { packetCount, averagePacketRate } = await track.computePacketStats();
    return { width: track.displayWidth, height: track.displayHeight, frames: packetCount, fps: averagePacketRate };
  } catch (error) {
    if (error instanceof Broken) throw error;
    throw new Broken(`a file said to be ${contentType} cannot be read: ${String(error)}`);
  }
}
