// The Python worker with tiny weights, seen from the page: each of the four families is asked for by a creator, its progress is
// seen, and what it drew stands there: a picture that loads, a clip that plays (FR-004, FR-005, FR-006).
import sharp from "sharp";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Gateway } from "./src/gateway.ts";
import { clipFacts, imageFacts } from "./src/page-facts.ts";
import { temporaryDirectory } from "./src/server-process.ts";
import { startTinyWorker, type TinyWorker } from "./src/tiny-worker.ts";
import { chooseModel, generate, stage, Visit } from "./src/visitor.ts";

/** A tiny model at the page's own size, on a busy machine. */
const limit = { timeout: 240_000 };
const notice = "Made by tiny models with random weights, for trying things out: what they draw shows nothing.";

const workerFolder = await temporaryDirectory();
let worker: TinyWorker;
let visit: Visit;

beforeAll(async () => {
  [worker, visit] = await Promise.all([
    startTinyWorker(workerFolder.path),
    Visit.begin({ EMBEDDED_ENGINE: "off", LOG_LEVEL: "warn" }),
  ]);
  const gateway = Gateway.of(visit.directory, visit.server);
  await gateway.logIn();
  await gateway.addWorker("tiny-gpu", worker, 1);
}, limit.timeout);

afterAll(async () => {
  await visit?.end();
  await worker?.stop();
  await workerFolder.remove();
});

const picture = await sharp({ create: { width: 96, height: 64, channels: 3, background: "#c8281e" } })
  .png()
  .toBuffer();
const file = { name: "scene.png", mimeType: "image/png", buffer: picture };

const families: readonly { name: string; mode: string | null; clip: boolean }[] = [
  { name: "Pony", mode: null, clip: false },
  { name: "FLUX.1", mode: "Picture to picture", clip: false },
  { name: "Wan 2.2 Rapid", mode: null, clip: true },
  { name: "AniSora", mode: "Picture to video", clip: true },
];

test.each(families)("$name, drawn by the worker, is seen on the page", limit, async ({ name, mode, clip }) => {
  const { page, context, faults } = await visit.openStudio();
  page.setDefaultTimeout(limit.timeout - 20_000);
  await chooseModel(page, name);
  if (mode !== null) {
    await page.getByText(mode, { exact: true }).click();
    await page.locator("input[type=file]").setInputFiles(file);
    await page.getByRole("img", { name: "Reference picture: scene.png" }).waitFor();
  }
  if (clip) await page.getByRole("radiogroup", { name: "Duration" }).getByText("3 s").click();
  else await page.getByText("Quick test", { exact: true }).click();
  const prompt = `a red boat by ${name}`;
  await generate(page, prompt);
  await stage(page)
    .getByText(/step \d+ of \d+/)
    .waitFor();
  if (clip) {
    const video = stage(page).locator("video");
    await video.waitFor();
    await expect.poll(async () => (await clipFacts(video)).at, { timeout: 30_000 }).toBeGreaterThan(0.2);
    const facts = await clipFacts(video);
    expect(facts.error).toBeNull();
    expect(facts.length).toBeCloseTo(49 / 16, 1);
  } else {
    const result = stage(page).getByRole("img", { name: `Result: ${prompt}` });
    await result.waitFor();
    await expect.poll(async () => (await imageFacts(result)).width, { timeout: 30_000 }).toBeGreaterThan(500);
  }
  await stage(page).getByText(notice).waitFor();
  expect(faults).toEqual([]);
  await context.close();
});
