// The first page in a real browser, on the real server and engine: what a creator sees from the prompt to the result.
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { whileHeld } from "./src/held-run.ts";
import {
  backgroundBrightness,
  chosenTheme,
  clipFacts,
  hasFocus,
  imageFacts,
  shownAfterSeek,
  sidewaysScroll,
} from "./src/page-facts.ts";
import { ask, make, smallPicture } from "./src/scenes.ts";
import { startServerProcess, temporaryDirectory } from "./src/server-process.ts";
import { chooseModel, generate, givePassword, patience, phone, stage, Visit, wide } from "./src/visitor.ts";

let visit: Visit;

beforeAll(async () => {
  visit = await Visit.begin();
}, patience);

afterAll(() => visit?.end());

describe("the studio in a browser", () => {
  test("a prompt becomes a picture, with no key typed (SC-003, FR-004, FR-005)", { timeout: patience }, async () => {
    const { page, context, faults } = await visit.openStudio();
    await chooseModel(page, "FLUX.1");
    const step = stage(page).getByText(/step \d+ of \d+/);
    const begin = () => generate(page, "a red lighthouse by the sea, photorealistic");
    await whileHeld(visit, begin, () => step.waitFor());
    const result = stage(page).getByRole("img", { name: /^Result:/ });
    await result.waitFor();
    await expect.poll(() => imageFacts(result)).toEqual({ width: 1024, rendering: "pixelated" });
    // Honest about what made it, what it did not know, and what it made of the prompt.
    await stage(page).getByText("Made by Sketch: a miniature with a small vocabulary.").waitFor();
    expect(await stage(page).locator("q").allTextContents()).toContain("photorealistic");
    await stage(page)
      .getByText(/^It drew: .*lighthouse/)
      .waitFor();

    const download = page.waitForEvent("download");
    await stage(page).getByRole("link", { name: "Download" }).click();
    expect((await download).suggestedFilename()).toMatch(/\.png$/);
    expect(faults).toEqual([]);
    await context.close();
  });

  test("a prompt becomes a clip that plays and seeks (FR-005)", { timeout: patience }, async () => {
    const { page, context, faults } = await visit.openStudio();
    await chooseModel(page, "Wan 2.2 Rapid");
    await page.getByText("3 s", { exact: true }).click();
    await generate(page, "a boat at sea, sunset");
    const clip = stage(page).locator("video");
    await clip.waitFor();
    const read = () => clipFacts(clip);
    await expect.poll(async () => (await read()).at).toBeGreaterThan(0.2);
    expect(await read()).toMatchObject({ width: 720, error: null });
    expect((await read()).length).toBeCloseTo(49 / 16, 1);

    await stage(page).getByRole("button", { name: "Pause" }).click();
    const { length } = await read();
    const seek = stage(page).getByRole("slider", { name: "Position" });
    await seek.press("Home");
    // The player seeks to the middle of a frame: the first one.
    await expect.poll(async () => (await read()).at).toBeLessThan(1 / 16);
    await seek.click(); // in its middle
    await expect.poll(async () => (await read()).at).toBeCloseTo(length / 2, 0);
    // Between two key frames, and back: what is seen follows the clock.
    for (const goal of [1.5, 0.5]) expect(Math.abs((await shownAfterSeek(clip, goal)) - goal)).toBeLessThan(0.1);
    const { at } = await read();
    await stage(page).getByRole("button", { name: "Play" }).click();
    await expect.poll(async () => (await read()).at).not.toBe(at);
    expect(faults).toEqual([]);
    await context.close();
  });

  test("a reload in the middle of a run keeps the task, its progress and the recipe (FR-006)", {
    timeout: patience,
  }, async () => {
    const { page, context, faults } = await visit.openStudio();
    await chooseModel(page, "Pony");
    const step = stage(page).getByText(/step \d+ of \d+/);
    const begin = () => generate(page, "an orange cat in a forest");
    await whileHeld(visit, begin, async () => {
      await step.waitFor();
      await page.reload();
      await stage(page).getByRole("heading", { name: "an orange cat in a forest" }).waitFor();
      await step.waitFor();
    });
    expect(await page.getByRole("textbox", { name: "Prompt" }).inputValue()).toBe("an orange cat in a forest");
    await stage(page).getByRole("img", { name: "Result: an orange cat in a forest" }).waitFor();
    await page.reload();
    await stage(page).getByRole("img", { name: "Result: an orange cat in a forest" }).waitFor();
    expect(faults).toEqual([]);
    await context.close();
  });

  test("a running task is cancelled, and says so", { timeout: patience }, async () => {
    const { page, context } = await visit.openStudio();
    await chooseModel(page, "AniSora");
    await page.getByText("10 s", { exact: true }).click();
    const begin = () => generate(page, "a rocket above the moon");
    await whileHeld(visit, begin, () => stage(page).getByRole("button", { name: "Cancel" }).click());
    await stage(page).getByRole("heading", { name: "Cancelled" }).waitFor();
    await stage(page).getByText("cancelled", { exact: true }).waitFor();
    await context.close();
  });

  test("a refused field says why at its place and lets go once it is changed", { timeout: patience }, async () => {
    const { page, context } = await visit.openStudio();
    await chooseModel(page, "FLUX.1");
    await page.getByLabel("Width", { exact: true }).fill("700");
    await page.keyboard.press("Control+Enter");
    await page.getByText("2 things to fix").waitFor();
    const prompt = page.getByRole("textbox", { name: "Prompt" });
    expect(await prompt.getAttribute("aria-invalid")).toBe("true");
    await expect.poll(() => hasFocus(prompt)).toBe(true);
    await page.getByText("Steps of 16 from 512 to 1280.", { exact: true }).waitFor();
    await page.getByLabel("Width", { exact: true }).fill("704");
    await prompt.fill("a castle");
    await expect.poll(() => page.getByRole("form", { name: "Recipe" }).getByRole("alert").count()).toBe(0);
    await context.close();
  });

  test("a mode that needs a picture takes one from a file and shows it", { timeout: patience }, async () => {
    const { page, context, faults } = await visit.openStudio();
    await chooseModel(page, "FLUX.1");
    await page.getByText("Picture to picture", { exact: true }).click();
    const picture = await ask(visit, `/results/${await make(visit, smallPicture("a scene by day"))}`);
    const buffer = Buffer.from(await picture.arrayBuffer());
    await page.locator("input[type=file]").setInputFiles({ name: "scene.png", mimeType: "image/png", buffer });
    await page.getByRole("img", { name: "Reference picture: scene.png" }).waitFor();
    await generate(page, "the same scene at night");
    await stage(page).getByRole("img", { name: "Result: the same scene at night" }).waitFor();
    expect(faults).toEqual([]);
    await context.close();
  });

  test.each(["dark", "light"] as const)(
    "fits a phone, %s: nothing scrolls sideways, the theme is followed",
    { timeout: patience },
    async (colorScheme) => {
      const { page, context, faults } = await visit.openStudio({ ...phone, colorScheme });
      expect(await sidewaysScroll(page)).toBe(0);
      const brightness = await backgroundBrightness(page);
      if (colorScheme === "dark") expect(brightness).toBeLessThan(64);
      else expect(brightness).toBeGreaterThan(192);
      // The picture stands above the recipe, and a new run is brought into sight.
      await chooseModel(page, "FLUX.1");
      const prompt = `a windmill on a hill, ${colorScheme === "dark" ? "night" : "day"}`;
      await generate(page, prompt);
      await stage(page)
        .getByRole("img", { name: `Result: ${prompt}` })
        .waitFor();
      expect(await sidewaysScroll(page)).toBe(0);
      expect(faults).toEqual([]);
      await context.close();
    },
  );

  test("an installation with a password asks for it once and keeps what was typed", { timeout: patience }, async () => {
    const locked = await temporaryDirectory();
    const lockedServer = await startServerProcess(locked.path, { ACCESS_PASSWORD: "a lamp in the dark" });
    try {
      const context = await visit.browser.newContext(wide);
      const page = await context.newPage();
      await page.goto(lockedServer.url);
      const gate = page.getByRole("dialog");
      await gate.getByLabel("Access password").fill("wrong");
      await gate.getByRole("button", { name: /Come in|Continue/ }).click();
      await gate.getByText("Wrong password.").waitFor();
      await givePassword(page, "a lamp in the dark");
      const prompt = page.getByRole("textbox", { name: "Prompt" });
      await prompt.fill("a snowman");
      // The session ends while the page is open: the same question, and the submission goes on after it.
      await page.request.delete(`${lockedServer.url}/auth/session`);
      await page.getByRole("button", { name: /^Generate/ }).click();
      await gate.getByText("Your prompt and settings are still here.").waitFor();
      await givePassword(page, "a lamp in the dark");
      await stage(page).getByRole("heading", { name: "a snowman" }).waitFor();
      expect(await prompt.inputValue()).toBe("a snowman");
      await context.close();
    } finally {
      await lockedServer.stop("SIGKILL");
      await locked.remove();
    }
  });

  test("the chosen theme outlives a reload", { timeout: patience }, async () => {
    const { page, context } = await visit.openStudio({ ...wide, colorScheme: "dark" });
    const theme = () => chosenTheme(page);
    expect(await theme()).toBe("system");
    await page.getByRole("button", { name: /^Theme:/ }).click();
    await page.getByRole("button", { name: /^Theme:/ }).click();
    expect(await theme()).toBe("light");
    await page.reload();
    await page.getByRole("textbox", { name: "Prompt" }).waitFor();
    expect(await theme()).toBe("light");
    await context.close();
  });
});
