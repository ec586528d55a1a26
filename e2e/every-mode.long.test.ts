// Every model and mode of the catalog through the API, on the real engine: what is done has the shape that was asked for
// (FR-003, FR-005). Pictures that a mode needs come from results made before, as a creator would take them.
import { catalog, type Mode, type ModelEntry } from "@safelight/catalog";
import { createClient } from "@safelight/contract/client";
import { ALL_FORMATS, BufferSource, Input } from "mediabunny";
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ServerProcess, startServerProcess, temporaryDirectory } from "./src/server-process.ts";

const width = 640;
const height = 512;
const frames = 49;
const pairs = catalog.models.flatMap((model) => model.modes.map((mode) => ({ model, mode: mode.id })));

let directory: { path: string; remove(): Promise<void> };
let server: ServerProcess;
let client: ReturnType<typeof createClient>;
let pictures: string[] = [];

beforeAll(async () => {
  directory = await temporaryDirectory();
  server = await startServerProcess(directory.path);
  client = createClient({ baseUrl: server.url, apiKey: server.apiKey });
  pictures = await Promise.all(["a red boat at sea", "a red boat at sea at night"].map(makeReference));
}, 120_000);

afterAll(async () => {
  await server?.stop("SIGTERM");
  await directory?.remove();
});

test("the catalog has its eleven pairs", () => expect(pairs).toHaveLength(11));

test.each(pairs.map(({ model, mode }) => [model.id, mode, model] as const))("%s %s", async (_id, mode, model) => {
  const status = await run({ model: model.id, mode, width, height, ...needed(model, mode) });
  expect(status).toMatchObject({ status: "done", engine: "sketch", model: model.id, mode, progress: 100 });
  const result = await client.getResult({ path: { id: status.task_id } });
  const bytes = new Uint8Array(await result.arrayBuffer());
  if (model.type === "image") {
    expect(await sharp(bytes).metadata()).toMatchObject({ format: "png", width, height });
    return;
  }
  const video = await new Input({ formats: ALL_FORMATS, source: new BufferSource(bytes) }).getPrimaryVideoTrack();
  if (video === null) throw new Error("the clip has no picture track");
  const { packetCount, averagePacketRate } = await video.computePacketStats();
  expect([video.displayWidth, video.displayHeight, packetCount, Math.round(averagePacketRate)]).toEqual([
    width,
    height,
    frames,
    16,
  ]);
});

/** What the mode asks for besides the prompt. */
function needed(model: ModelEntry, mode: Mode): Record<string, unknown> {
  const [first, last] = pictures;
  const length = model.type === "video" ? { num_frames: frames } : {};
  switch (mode) {
    case "txt2img":
    case "t2v":
      return length;
    case "img2img":
    case "i2v":
      return { ...length, reference_image: first };
    case "first_last_frame":
      return { ...length, first_frame_image: first, last_frame_image: last };
    case "arbitrary_frame": {
      const keyframes = [first, last, first].map((image, index) => ({ frame_index: index * 24, image }));
      return { ...length, arbitrary_frames: keyframes };
    }
  }
}

async function makeReference(prompt: string): Promise<string> {
  const status = await run({ model: "pony", prompt, width, height, steps: 20 });
  const result = await client.getResult({ path: { id: status.task_id } });
  return (await client.upload(await result.blob(), "reference.png")).id;
}

async function run(body: { model: ModelEntry["id"] } & Record<string, unknown>) {
  const request = { prompt: "a red boat at sea at sunset", seed: 3, ...body };
  const { task_id: id } = await client.generate({ body: request });
  for (;;) {
    const status = await client.getStatus({ path: { id }, query: { wait: 30 } });
    if (status.status === "done") return status;
    if (status.status === "failed") throw new Error(`${status.error?.code}: ${status.error_msg}`);
  }
}
