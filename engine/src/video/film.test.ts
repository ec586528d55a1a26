import { BufferSource, EncodedPacketSink, Input, MP4, WEBM } from "mediabunny";
import { expect, test } from "vitest";
import { canEncode, chooseEncoder } from "./encoders.ts";
import { encodeWithFfmpeg, findFfmpeg } from "./ffmpeg.ts";
import type { Film } from "./film.ts";
import { remux } from "./remux.ts";
import { encodeWithWasm } from "./wasm-encoder.ts";

const width = 128;
const height = 96;

function film(frames: number, fps: number): Film {
  const picture = (number: number) => {
    const frame = new Uint8Array((width * height * 3) / 2).fill(128);
    frame.fill(40 + number * 20, 0, width * height);
    return frame;
  };
  return {
    width,
    height,
    fps,
    order: Array.from({ length: frames }, (_, frame) => Math.floor(frame / 3) % 5),
    picture,
  };
}

async function probe(bytes: Uint8Array) {
  using input = new Input({ formats: [MP4, WEBM], source: new BufferSource(bytes) });
  const track = await input.getPrimaryVideoTrack();
  if (!track) throw new Error("no track");
  const times: number[] = [];
  let keys = 0;
  for await (const packet of new EncodedPacketSink(track).packets()) {
    times.push(packet.timestamp);
    if (packet.type === "key") keys++;
  }
  return {
    times,
    keys,
    codec: await track.getCodec(),
    size: [await track.getDisplayWidth(), await track.getDisplayHeight()],
    colour: await track.getColorSpace(),
    tags: await input.getMetadataTags(),
    duration: await input.computeDuration(),
  };
}

const tags = { title: "boat", comment: '{"prompt":"boat"}' };
const colour = { primaries: "bt709", transfer: "bt709", matrix: "bt709", fullRange: false };

test.each([8, 16, 24])("WASM writes an mp4 of exactly the frames at exactly %i frames a second", async (fps) => {
  const seen: number[] = [];
  const bytes = await remux(await encodeWithWasm(film(49, fps), (done) => seen.push(done)), "mp4", fps, tags);
  const found = await probe(bytes);
  expect(found).toMatchObject({ codec: "avc", size: [width, height], colour, tags });
  expect(found.times).toHaveLength(49);
  found.times.forEach((time, frame) => {
    expect(Math.abs(time - frame / fps)).toBeLessThan(0.001);
  });
  expect(found.duration).toBeCloseTo(49 / fps, 2);
  expect(found.keys).toBeGreaterThanOrEqual(Math.ceil(49 / (fps * 2)));
  expect(seen).toEqual(Array.from({ length: 49 }, (_, frame) => frame + 1));
});

test("the index names as key frames those that are, so that every frame between them can be sought (FR-005)", async () => {
  const bytes = await remux(await encodeWithWasm(film(49, 16), () => {}), "mp4", 16, tags);
  const keysOf = async (verifyKeyPackets: boolean) => {
    using input = new Input({ formats: [MP4], source: new BufferSource(bytes) });
    const track = await input.getPrimaryVideoTrack();
    if (!track) throw new Error("no track");
    const types: string[] = [];
    const packets = new EncodedPacketSink(track).packets(undefined, undefined, { verifyKeyPackets });
    for await (const packet of packets) types.push(packet.type);
    return types;
  };
  const named = await keysOf(false);
  expect(named).toEqual(await keysOf(true));
  expect(named[0]).toBe("key");
  expect(named).toContain("delta");
});

test("the index stands before the pictures and no date is in the file", async () => {
  const make = async () => remux(await encodeWithWasm(film(20, 16), () => {}), "mp4", 16, tags);
  const bytes = Buffer.from(await make());
  expect(bytes.indexOf("moov")).toBeGreaterThan(0);
  expect(bytes.indexOf("moov")).toBeLessThan(bytes.indexOf("mdat"));
  for (const box of ["mvhd", "tkhd", "mdhd"]) {
    const data = bytes.indexOf(box) + 4;
    expect(
      bytes.subarray(data + 4, data + (bytes[data] === 1 ? 20 : 12)).every((byte) => byte === 0),
      box,
    ).toBe(true);
  }
  // The clock has moved on to another second: the bytes have not.
  await new Promise((resolve) => setTimeout(resolve, 1100));
  expect(Buffer.compare(await make(), bytes)).toBe(0);
});

test("without ffmpeg webm is refused clearly and mp4 is written by WASM", async () => {
  for (const environment of [
    {},
    { PATH: "/nowhere" },
    { PATH: process.env.PATH, SAFELIGHT_FFMPEG: "/no/such/ffmpeg" },
  ]) {
    expect(await canEncode("webm", environment)).toBe(false);
    expect(await chooseEncoder("webm", "auto", environment)).toBeNull();
    expect(await chooseEncoder("mp4", "auto", environment)).toEqual({ kind: "wasm" });
    expect(await chooseEncoder("mp4", "ffmpeg", environment)).toBeNull();
    expect(
      await Promise.all((["mp4", "png", "jpeg", "webp"] as const).map((format) => canEncode(format, environment))),
    ).toEqual([true, true, true, true]);
  }
});

test("a program that is no ffmpeg is not taken for one", async () => {
  expect(await findFfmpeg("webm", { SAFELIGHT_FFMPEG: process.execPath })).toBeNull();
});

test.each(["mp4", "webm"] as const)("%s by ffmpeg: written where it is found, refused where not", async (format) => {
  const program = await findFfmpeg(format, process.env);
  expect(await canEncode(format)).toBe(program !== null || format === "mp4");
  if (program === null) return;
  const make = async () => remux(await encodeWithFfmpeg(program, format, film(49, 16), () => {}), format, 16, tags);
  const bytes = await make();
  const found = await probe(bytes);
  expect(found).toMatchObject({ codec: format === "mp4" ? "avc" : "vp9", size: [width, height], tags });
  expect(found.times.map((time) => Math.round(time * 16))).toEqual(Array.from({ length: 49 }, (_, frame) => frame));
  expect(Buffer.compare(await make(), bytes)).toBe(0);
});

test("an ffmpeg that fails is an error, not a hang", async () => {
  await expect(encodeWithFfmpeg(process.execPath, "mp4", film(200, 16), () => {})).rejects.toThrow(/ended with/);
});
