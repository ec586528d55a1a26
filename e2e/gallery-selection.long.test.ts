// Many pictures at once: chosen, saved as a zip, deleted, taken back; and the same without a mouse.
import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasFocus } from "./src/page-facts.ts";
import { ask, make, shortClip, smallPicture } from "./src/scenes.ts";
import { holdUndoTime } from "./src/undo-time.ts";
import { patience, stage, Visit } from "./src/visitor.ts";
import { filesInZip } from "./src/zip.ts";

const prompts = ["a red lighthouse by the sea", "an orange cat in a forest", "a castle at night"];
let visit: Visit;

beforeAll(async () => {
  visit = await Visit.begin();
  for (const prompt of prompts) await make(visit, smallPicture(prompt));
  await make(visit, shortClip("a boat at sea"));
}, patience);

afterAll(() => visit?.end());

const picture = (page: Page, prompt: string) => page.getByRole("button", { name: new RegExp(`^${prompt}`) });

async function openGallery() {
  const opened = await visit.open("/gallery");
  await picture(opened.page, "a boat at sea").waitFor();
  return opened;
}

async function pick(page: Page, ...chosen: string[]): Promise<void> {
  for (const prompt of chosen) await page.getByRole("checkbox", { name: `Select: ${prompt}` }).click();
  await page.getByText(`${chosen.length} selected`).waitFor();
}

async function promptsLeft(): Promise<string[]> {
  const { items } = (await (await ask(visit, "/gallery")).json()) as { items: { prompt: string }[] };
  return items.map(({ prompt }) => prompt);
}

describe("several pictures at once", () => {
  test("arrive as one zip, each beside its recipe", { timeout: patience }, async () => {
    const { page, context, faults } = await openGallery();
    await pick(page, "a castle at night", "a boat at sea");
    const arriving = page.waitForEvent("download");
    await page.getByRole("button", { name: /^Download zip/ }).click();
    const download = await arriving;
    expect(download.suggestedFilename()).toMatch(/^safelight-.*\.zip$/);
    const files = filesInZip(await readFile(await download.path()));
    const names = [...files.keys()].map((name) => name.replace(/^.*\./, "")).toSorted();
    expect(names).toEqual(["json", "json", "mp4", "png"]);
    const recipes = [...files].filter(([name]) => name.endsWith(".json"));
    const told = recipes.map(([, content]) => JSON.parse(content.toString()) as { prompt: string });
    expect(told.map(({ prompt }) => prompt).toSorted()).toEqual(["a boat at sea", "a castle at night"]);
    const image = [...files].find(([name]) => name.endsWith(".png"))?.[1];
    expect(image?.subarray(1, 4).toString()).toBe("PNG");
    expect(faults).toEqual([]);
    await context.close();
  });

  test("are deleted together once the time to take it back is over (FR-007)", { timeout: patience }, async () => {
    const { page, context } = await openGallery();
    const endUndoTime = await holdUndoTime(page);
    await pick(page, "a castle at night", "an orange cat in a forest");
    await page.getByRole("toolbar", { name: "Selection" }).getByRole("button", { name: "Delete" }).click();
    await page.getByText("2 deleted").waitFor();
    await picture(page, "a castle at night").waitFor({ state: "detached" });
    await page.getByRole("button", { name: "Undo" }).click();
    await picture(page, "a castle at night").waitFor();
    await picture(page, "an orange cat in a forest").waitFor();
    await expect(endUndoTime()).rejects.toThrow("no second thoughts");
    expect(await promptsLeft()).toHaveLength(4);

    await pick(page, "a castle at night", "an orange cat in a forest");
    await page.getByRole("toolbar", { name: "Selection" }).getByRole("button", { name: "Delete" }).click();
    await page.getByRole("button", { name: "Undo" }).waitFor();
    expect(await promptsLeft()).toHaveLength(4);
    const sent = page.waitForResponse((answer) => answer.url().endsWith("/gallery/delete"));
    await endUndoTime();
    expect((await sent).status()).toBe(200);
    await expect.poll(promptsLeft).toEqual(["a boat at sea", "a red lighthouse by the sea"]);
    await page.getByRole("button", { name: "Undo" }).waitFor({ state: "detached" });
    await context.close();
  });
});

test("a picture is made, found, opened, deleted and taken back by keys alone", { timeout: patience }, async () => {
  const { page, context, faults } = await visit.openStudio();
  const { keyboard } = page;
  await tabTo(page, /^Prompt/);
  await keyboard.type("a mushroom in the rain");
  await tabTo(page, /^Model:/, "Shift+Tab");
  await keyboard.press("Enter");
  await expect
    .poll(() => hasFocus(page.getByRole("listbox", { name: "Model" }).getByRole("option", { selected: true })))
    .toBe(true);
  await keyboard.press("End");
  await keyboard.press("Enter");
  await page.getByRole("button", { name: /^Model: FLUX\.1/ }).waitFor();
  await keyboard.press("Control+Enter");
  await stage(page).getByRole("img", { name: "Result: a mushroom in the rain" }).waitFor();

  // Leaves the field, whose letters are its own.
  await tabTo(page, /^Generate/);
  await keyboard.press("g");
  await keyboard.press("g");
  await picture(page, "a mushroom in the rain").waitFor();
  await tabTo(page, /^a mushroom in the rain/);
  await keyboard.press("Enter");
  const detail = page.getByRole("dialog", { name: "Picture and recipe" });
  await detail.getByRole("img", { name: "Result: a mushroom in the rain" }).waitFor();
  await keyboard.press("Escape");
  await detail.waitFor({ state: "detached" });
  await expect.poll(() => hasFocus(picture(page, "a mushroom in the rain"))).toBe(true);
  await keyboard.press("?");
  const keys = page.getByRole("dialog", { name: "Keyboard" });
  await keys.waitFor();
  await keyboard.press("Escape");
  await keys.waitFor({ state: "detached" });
  await expect.poll(() => hasFocus(picture(page, "a mushroom in the rain"))).toBe(true);
  await holdUndoTime(page);
  await keyboard.press("Delete");
  await picture(page, "a mushroom in the rain").waitFor({ state: "detached" });
  await tabTo(page, /^Undo$/);
  await keyboard.press("Enter");
  await picture(page, "a mushroom in the rain").waitFor();
  expect(await promptsLeft()).toContain("a mushroom in the rain");
  expect(faults).toEqual([]);
  await context.close();
});

/** Presses Tab until the focus stands on what has this name. */
async function tabTo(page: Page, name: RegExp, key = "Tab"): Promise<void> {
  const most = 150;
  for (let presses = 0; presses < most; presses += 1) {
    const focused = await page.evaluate<string>(`(() => {
      const it = document.activeElement;
      const label = it?.labels?.[0]?.textContent;
      return (it?.getAttribute('aria-label') ?? label ?? it?.textContent ?? '').trim();
    })()`);
    if (name.test(focused)) return;
    await page.keyboard.press(key);
  }
  throw new Error(`Tab led nowhere near ${name} in ${most} presses.`);
}

test("everything is deleted after its number was typed", { timeout: patience }, async () => {
  const { page, context } = await openGallery();
  const left = await promptsLeft();
  await page.getByRole("button", { name: "More", exact: true }).last().click();
  await page.getByRole("menuitem", { name: /^Delete all/ }).click();
  const question = page.getByRole("alertdialog");
  const yes = question.getByRole("button", { name: `Delete ${left.length}` });
  expect(await yes.isDisabled()).toBe(true);
  await page.keyboard.press("Escape");
  await question.waitFor({ state: "detached" });
  expect(await promptsLeft()).toEqual(left);
  await page.getByRole("button", { name: "More", exact: true }).last().click();
  await page.getByRole("menuitem", { name: /^Delete all/ }).click();
  await question.getByRole("textbox").fill(String(left.length));
  await yes.click();
  await page.getByText("Nothing here yet").waitFor();
  expect(await promptsLeft()).toEqual([]);
  await context.close();
});
