// What was made is a beginning: its settings, its picture and its file lead back into the form.
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ask, finished, make, shortClip, smallPicture } from "./src/scenes.ts";
import { chooseModel, generate, patience, stage, Visit } from "./src/visitor.ts";

const picturePrompt = "a red lighthouse by the sea";
const clipPrompt = "a boat at sea, sunset";
let visit: Visit;
let picture: string;
let clip: string;

beforeAll(async () => {
  visit = await Visit.begin();
  picture = await make(visit, { ...smallPicture(picturePrompt), seed: 4711 });
  clip = await make(visit, { ...shortClip(clipPrompt), seed: 815 });
}, patience);

afterAll(() => visit?.end());

interface Made {
  id: string;
  mode: string;
  prompt: string;
  seed: number;
  parameters: Record<string, unknown>;
}

const prompt = (page: Page) => page.getByRole("textbox", { name: "Prompt" });
const model = (page: Page, name: string) => page.getByRole("button", { name: new RegExp(`^Model: ${name}`) });

async function openDetail(id: string) {
  const opened = await visit.open(`/gallery?item=${id}`);
  await opened.page.getByRole("button", { name: "Use these settings" }).waitFor();
  return opened;
}

async function newest(): Promise<Made> {
  const { items } = (await (await ask(visit, "/tasks?per_page=1")).json()) as { items: Made[] };
  const [task] = items;
  if (task === undefined) throw new Error("There is no task.");
  return task;
}

async function resultOf(id: string): Promise<Buffer> {
  return Buffer.from(await (await ask(visit, `/results/${id}`)).arrayBuffer());
}

/** Drops a file on the page, beside everything that takes files. */
async function drop(page: Page, name: string, type: string, content: Buffer): Promise<void> {
  const dataTransfer = await page.evaluateHandle(`(() => {
    const bytes = Uint8Array.from(atob(${JSON.stringify(content.toString("base64"))}), (one) => one.charCodeAt(0));
    const transfer = new DataTransfer();
    transfer.items.add(new File([bytes], ${JSON.stringify(name)}, { type: ${JSON.stringify(type)} }));
    return transfer;
  })()`);
  await page.dispatchEvent("header", "drop", { dataTransfer });
}

describe("from the gallery", () => {
  test("the settings of a clip fill the form", { timeout: patience }, async () => {
    const { page, context, faults } = await openDetail(clip);
    await page.getByRole("button", { name: "Use these settings" }).click();
    await model(page, "Wan 2.2 Rapid").waitFor();
    await expect.poll(() => prompt(page).inputValue()).toBe(clipPrompt);
    expect(await page.getByRole("textbox", { name: "Seed", exact: true }).inputValue()).toBe("815");
    expect(await page.getByLabel("Width", { exact: true }).inputValue()).toBe("512");
    await page.getByText("49 frames").waitFor();
    expect(faults).toEqual([]);
    await context.close();
  });

  test("a picture is a reference, and the beginning of a clip", { timeout: patience }, async () => {
    const { page, context, faults } = await openDetail(picture);
    await page.getByRole("button", { name: "Reference", exact: true }).click();
    await page.getByRole("img", { name: /^Reference picture: / }).waitFor();
    expect(await prompt(page).inputValue()).toBe(picturePrompt);
    await page.goto(new URL(`/gallery?item=${picture}`, visit.url).href);
    await page.getByRole("button", { name: "Animate", exact: true }).click();
    await page.getByRole("img", { name: /^Reference picture: / }).waitFor();
    await page.getByRole("button", { name: /^Generate .* of video/ }).waitFor();
    expect(await page.getByRole("radio", { name: "Picture to video" }).isChecked()).toBe(true);
    expect(faults).toEqual([]);
    await context.close();
  });

  test("a variation runs with another seed and the same settings", { timeout: patience }, async () => {
    const { page, context, faults } = await openDetail(picture);
    await page.getByRole("button", { name: "Vary", exact: true }).click();
    await page.getByText("Running with another seed").waitFor();
    const task = await newest();
    expect(task).toMatchObject({ prompt: picturePrompt, mode: "txt2img", parameters: { width: 512, steps: 15 } });
    expect(task.seed).not.toBe(4711);
    await finished(visit, task.id);
    expect(faults).toEqual([]);
    await context.close();
  });
});

describe("a file with its recipe inside, dropped anywhere", () => {
  test.each([
    ["a picture", "lamp.png", "image/png", () => picture, picturePrompt, "FLUX.1", "4711"],
    ["a clip", "boat.mp4", "video/mp4", () => clip, clipPrompt, "Wan 2.2 Rapid", "815"],
  ])("%s fills the form", { timeout: patience }, async (_what, name, type, id, words, modelName, seed) => {
    const { page, context, faults } = await visit.openStudio();
    await drop(page, name, type, await resultOf(id()));
    await page.getByText(`Settings taken from ${name}`).waitFor();
    await model(page, modelName).waitFor();
    expect(await prompt(page).inputValue()).toBe(words);
    expect(await page.getByRole("textbox", { name: "Seed", exact: true }).inputValue()).toBe(seed);
    await page.getByRole("button", { name: "Undo" }).click();
    await expect.poll(() => prompt(page).inputValue()).not.toBe(words);
    expect(faults).toEqual([]);
    await context.close();
  });
});

describe("pictures along a clip", () => {
  test("a first and a last frame are submitted", { timeout: patience }, async () => {
    const { page, context, faults } = await visit.openStudio();
    await chooseModel(page, "AniSora");
    await page.getByText("First and last frame", { exact: true }).click();
    await shorten(page);
    const file = { name: "scene.png", mimeType: "image/png", buffer: await resultOf(picture) };
    const places = page.getByRole("form", { name: "Recipe" }).locator("input[type=file]");
    await places.first().setInputFiles(file);
    await page.getByRole("img", { name: /^First frame.*scene\.png$/ }).waitFor();
    await places.first().setInputFiles(file);
    await page.getByRole("img", { name: /^Last frame.*scene\.png$/ }).waitFor();
    await generate(page, "the light goes round");
    await stage(page).getByRole("heading", { name: "the light goes round" }).waitFor();
    const { id, mode, parameters } = await newest();
    expect(mode).toBe("first_last_frame");
    expect(parameters).toMatchObject({ first_frame_image: expect.any(String), last_frame_image: expect.any(String) });
    await page.request.post(`${visit.url}/cancel/${id}`);
    expect(faults).toEqual([]);
    await context.close();
  });

  test("key frames are moved by keys and by dragging, taken away, and submitted", { timeout: patience }, async () => {
    const { page, context, faults } = await visit.openStudio();
    await chooseModel(page, "AniSora");
    await page.getByText("Key frames", { exact: true }).click();
    await shorten(page);
    const buffer = await resultOf(picture);
    const files = ["dawn", "noon", "dusk"].map((name) => ({ name: `${name}.png`, mimeType: "image/png", buffer }));
    await page.getByRole("form", { name: "Recipe" }).locator("input[type=file]").first().setInputFiles(files);
    const track = page.getByRole("group", { name: "Key frames along the clip" });
    const thumb = (index: number) => track.getByRole("slider", { name: `Key frame ${index}`, exact: true });
    await thumb(3).waitFor();
    const place = async (index: number) => Number(await thumb(index).getAttribute("aria-valuenow"));

    await thumb(1).press("Home");
    await thumb(1).press("ArrowRight");
    await expect.poll(() => place(1)).toBe(1);
    await thumb(3).press("Delete");
    await thumb(3).waitFor({ state: "detached" });
    const [box, lane] = await Promise.all([thumb(2).boundingBox(), track.boundingBox()]);
    if (box === null || lane === null) throw new Error("The track is not in sight.");
    const y = box.y + box.height / 2;
    await page.mouse.move(box.x + box.width / 2, y);
    await page.mouse.down();
    await page.mouse.move(lane.x + lane.width / 2, y, { steps: 4 });
    await page.mouse.up();
    await expect.poll(() => place(2)).toBe(24);
    await page.getByRole("textbox", { name: "Key frame 2, Strength, number" }).fill("0.5");
    await generate(page, "the light over a day");
    await stage(page).getByRole("heading", { name: "the light over a day" }).waitFor();
    const { id, mode, parameters } = await newest();
    expect(mode).toBe("arbitrary_frame");
    expect(parameters["arbitrary_frames"]).toMatchObject([{ frame_index: 1 }, { frame_index: 24, strength: 0.5 }]);
    await page.request.post(`${visit.url}/cancel/${id}`);
    expect(faults).toEqual([]);
    await context.close();
  });
});

/** The smallest and shortest clip: what is watched here is the form. */
async function shorten(page: Page): Promise<void> {
  await page.getByRole("radiogroup", { name: "Duration" }).getByText("3 s").click();
  for (const side of ["Width", "Height"]) await page.getByLabel(side, { exact: true }).fill("512");
}
