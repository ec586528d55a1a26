import { readFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync } from "node:zlib";
import { BufferTarget, EncodedPacket, EncodedVideoPacketSource, Output, WebMOutputFormat } from "mediabunny";
import { describe, expect, test } from "vitest";
import { readEmbeddedRecipe } from "./read-recipe.ts";

/** Files as the engine wrote them, with everything in the prompt that needs escaping somewhere. */
const prompt = 'красный маяк & "sea" <at> night 🌊';

function fixture(name: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(join(import.meta.dirname, "fixtures", name)));
}

/** A file that counts how much of it is read. */
class WatchedBlob extends Blob {
  bytesRead = 0;
  override slice(start = 0, end = this.size, type?: string): Blob {
    this.bytesRead += Math.min(end, this.size) - start;
    return super.slice(start, end, type);
  }
}

describe("the recipe inside a result (US1)", () => {
  test.each(["lighthouse.png", "lighthouse.jpeg", "lighthouse.webp", "lighthouse.mp4"])("%s", async (name) => {
    const recipe = await readEmbeddedRecipe(new Blob([fixture(name)]));
    expect(recipe).toMatchObject({ prompt, negative_prompt: "fog", seed: 77, parameters: { width: 512 } });
    expect(recipe).toHaveProperty("model");
    expect(recipe).toHaveProperty("catalog_version");
  });

  test("a webm with the recipe as its comment", async () => {
    const comment = JSON.stringify({ prompt, model: "m", mode: "x", seed: 1 });
    expect(await readEmbeddedRecipe(new Blob([await webm(comment)]))).toMatchObject({ prompt, seed: 1 });
    expect(await readEmbeddedRecipe(new Blob([await webm("shot on holiday")]))).toBeNull();
  });

  test("a png saved by other software: the text compressed, behind the picture", async () => {
    const [head] = splitPng(fixture("lighthouse.png"));
    const data = pngChunk("IDAT", Buffer.alloc(200_000));
    const json = JSON.stringify({ prompt: "kept", model: "m", mode: "x" });
    const chunk = pngChunk("iTXt", Buffer.concat([Buffer.from("safelight\0\x01\0\0\0", "latin1"), deflateSync(json)]));
    const end = pngChunk("IEND", Buffer.alloc(0));
    expect(await readEmbeddedRecipe(new Blob([head, data, chunk, end]))).toMatchObject({ prompt: "kept" });
  });

  test("a compressed text that unfolds into too much is left alone", async () => {
    const [head] = splitPng(fixture("lighthouse.png"));
    const bomb = deflateSync(Buffer.alloc(1 << 23, 32));
    const chunk = pngChunk("iTXt", Buffer.concat([Buffer.from("safelight\0\x01\0\0\0", "latin1"), bomb]));
    expect(await readEmbeddedRecipe(new Blob([head, chunk, pngChunk("IEND", Buffer.alloc(0))]))).toBeNull();
  });
});

describe("files without a recipe", () => {
  test.each(["lighthouse.png", "lighthouse.jpeg", "lighthouse.webp", "lighthouse.mp4"])(
    "%s, cut off anywhere, is read as none and never fails",
    async (name) => {
      const bytes = fixture(name);
      for (let length = 0; length < bytes.length; length += 97) {
        const recipe = await readEmbeddedRecipe(new Blob([bytes.subarray(0, length)]));
        if (recipe !== null) expect(recipe).toMatchObject({ prompt });
      }
    },
  );

  test("texts, empty files, and headers that promise more than there is", async () => {
    const lying = new Uint8Array([
      0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0xff, 0xff, 0xff, 0xff, 105, 84, 88, 116,
    ]);
    const endless = new Uint8Array([0xff, 0xd8, 0xff, 0xe1, 0, 0, 0xff, 0xe1, 0, 0]);
    for (const content of ["", "a plain text", lying, endless])
      expect(await readEmbeddedRecipe(new Blob([content]))).toBeNull();
  });
});

test("of a large picture only its beginning is read", async () => {
  const [head, rest] = splitPng(fixture("lighthouse.png"));
  const large = new WatchedBlob([head, rest, new Uint8Array(8_000_000)]);
  expect(await readEmbeddedRecipe(large)).toMatchObject({ prompt });
  expect(large.bytesRead).toBeLessThan(200_000);
});

/** Signature and header without the texts, and the picture data with them, without the end. */
function splitPng(bytes: Uint8Array<ArrayBuffer>): [Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>] {
  const headerEnd = 8 + 12 + 13;
  return [bytes.slice(0, headerEnd), bytes.slice(headerEnd, bytes.length - 12)];
}

function pngChunk(name: string, data: Uint8Array): Uint8Array<ArrayBuffer> {
  const chunk = Buffer.alloc(12 + data.length);
  chunk.writeUInt32BE(data.length, 0);
  chunk.write(name, 4, "latin1");
  chunk.set(data, 8);
  return new Uint8Array(chunk);
}

async function webm(comment: string): Promise<Uint8Array<ArrayBuffer>> {
  const target = new BufferTarget();
  const output = new Output({ format: new WebMOutputFormat(), target });
  const source = new EncodedVideoPacketSource("vp8");
  output.addVideoTrack(source, { frameRate: 16 });
  output.setMetadataTags({ title: "clip", comment });
  await output.start();
  const packet = new EncodedPacket(new Uint8Array(64), "key", 0, 1 / 16);
  await source.add(packet, { decoderConfig: { codec: "vp8", codedWidth: 64, codedHeight: 64 } });
  await output.finalize();
  if (target.buffer === null) throw new Error("nothing was written");
  return new Uint8Array(target.buffer);
}
