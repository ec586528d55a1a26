import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { BufferTarget, EncodedPacket, EncodedVideoPacketSource, Output, WebMOutputFormat } from "mediabunny";
import sharp from "sharp";
import { expect, test } from "vitest";
import { remux } from "../video/remux.ts";
import { encodeWithWasm } from "../video/wasm-encoder.ts";
import { addImageRecipe, filmTags, readRecipe, stripRecipe } from "./recipe.ts";

const recipe = {
  prompt: 'a «red» boat <at> "sea" & кот 🚤 ]]> --',
  negative_prompt: "",
  seed: 2147483647,
  parameters: { width: 64, nested: [1, null, { a: true }] },
};
/** Pieces of the recipe that must be nowhere in a stripped file, in whatever encoding it was written. */
const traces = ["boat", "2147483647", "кот", "safelight"];

const canvas = () => sharp({ create: { width: 64, height: 48, channels: 3, background: "#c33" } });
const images = {
  png: { contentType: "image/png", make: () => canvas().png().toBuffer() },
  jpeg: { contentType: "image/jpeg", make: () => canvas().jpeg().toBuffer() },
  "lossless webp": { contentType: "image/webp", make: () => canvas().webp({ lossless: true }).toBuffer() },
  "lossy webp": { contentType: "image/webp", make: () => canvas().webp().toBuffer() },
  "transparent webp": {
    contentType: "image/webp",
    make: () => canvas().ensureAlpha(0.5).webp({ lossless: true }).toBuffer(),
  },
};

function expectNoTrace(bytes: Uint8Array): void {
  for (const trace of traces) expect(Buffer.from(bytes).includes(trace), trace).toBe(false);
}

test.each(Object.entries(images))(
  "%s carries the recipe and loses it without a trace",
  async (_name, { contentType, make }) => {
    const plain = await make();
    const carrying = addImageRecipe(plain, recipe);
    expect(await readRecipe(carrying)).toEqual(recipe);
    expect(await readRecipe(plain)).toBeNull();
    const stripped = await stripRecipe(carrying, contentType);
    expectNoTrace(stripped);
    expect(await readRecipe(stripped)).toBeNull();
    const pixels = await sharp(plain).raw().toBuffer();
    for (const bytes of [carrying, stripped]) {
      expect(Buffer.compare(await sharp(bytes, { failOn: "warning" }).raw().toBuffer(), pixels)).toBe(0);
    }
    expect((await sharp(carrying).metadata()).xmpAsString).toContain("urn:safelight:recipe:1");
  },
);

test("other descriptions go too: EXIF, XMP, comments", async () => {
  for (const format of ["png", "jpeg", "webp"] as const) {
    const described = await canvas()
      .withExif({ IFD0: { Artist: "someone boat" } })
      .withXmp("<x:xmpmeta xmlns:x='adobe:ns:meta/'>boat</x:xmpmeta>")
      .toFormat(format)
      .toBuffer();
    expect(Buffer.from(described).includes("boat")).toBe(true);
    const stripped = await stripRecipe(described, `image/${format}`);
    expectNoTrace(stripped);
    const { exif, xmp } = await sharp(stripped).metadata();
    expect([exif, xmp]).toEqual([undefined, undefined]);
  }
});

test("the packet survives where the text chunk was lost", async () => {
  const png = addImageRecipe(await images.png.make(), recipe);
  // Other programs keep XMP when they save a picture anew, but not foreign text chunks.
  expect(await readRecipe(await sharp(png).keepXmp().webp().toBuffer())).toEqual(recipe);
});

async function mp4(): Promise<Uint8Array> {
  const picture = () => new Uint8Array((64 * 48 * 3) / 2).fill(128);
  const film = { width: 64, height: 48, fps: 8, order: [0, 0, 0, 0], picture };
  return remux(await encodeWithWasm(film, () => {}), "mp4", 8, filmTags(recipe));
}

async function webm(): Promise<Uint8Array> {
  const target = new BufferTarget();
  const output = new Output({ format: new WebMOutputFormat(), target });
  const source = new EncodedVideoPacketSource("vp9");
  output.addVideoTrack(source);
  output.setMetadataTags(filmTags(recipe));
  await output.start();
  const decoderConfig = { codec: "vp09.00.10.08", codedWidth: 64, codedHeight: 48 };
  for (let frame = 0; frame < 4; frame++) {
    const packet = new EncodedPacket(Uint8Array.of(1, 2, 3, frame), "key", frame / 8, 1 / 8);
    await source.add(packet, { decoderConfig });
  }
  await output.finalize();
  return new Uint8Array(target.buffer ?? new ArrayBuffer(0));
}

test.each([
  ["video/mp4", mp4],
  ["video/webm", webm],
])("%s carries the recipe and loses it without a trace", async (contentType, make) => {
  const carrying = await make();
  expect(await readRecipe(carrying)).toEqual(recipe);
  const stripped = await stripRecipe(carrying, `${contentType}; codecs="any"`);
  expectNoTrace(stripped);
  expect(await readRecipe(stripped)).toBeNull();
  expect(stripped.length).toBe(carrying.length);
  const { BufferSource, EncodedPacketSink, Input, MP4, WEBM } = await import("mediabunny");
  using input = new Input({ formats: [MP4, WEBM], source: new BufferSource(stripped) });
  const track = await input.getPrimaryVideoTrack();
  if (!track) throw new Error("no track left");
  const packets: number[] = [];
  for await (const packet of new EncodedPacketSink(track).packets()) packets.push(packet.data.length);
  expect(packets).toHaveLength(4);
  expect(packets.every((length) => length > 0)).toBe(true);
});

test("a file is read by its name as well as by its bytes", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "safelight-recipe-"));
  try {
    const file = path.join(folder, "a.png");
    await writeFile(file, addImageRecipe(await images.png.make(), recipe));
    expect(await readRecipe(file)).toEqual(recipe);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test("broken, foreign and empty files have no recipe and do no harm", async () => {
  const whole = [
    addImageRecipe(await images.png.make(), recipe),
    addImageRecipe(await images.jpeg.make(), recipe),
    await mp4(),
    await webm(),
  ];
  for (const bytes of [new Uint8Array(), Buffer.from("hello"), ...whole.map((file) => file.subarray(0, 40))]) {
    expect(await readRecipe(bytes)).toBeNull();
  }
  for (const contentType of ["image/png", "image/jpeg", "video/mp4", "video/webm", "text/plain"]) {
    expect(Buffer.from(await stripRecipe(Buffer.from("hello"), contentType)).toString()).toBe("hello");
  }
});
