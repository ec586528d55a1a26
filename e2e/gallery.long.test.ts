// The gallery in a browser, on a real server: found, opened, used again, deleted, seen from another tab, and large.
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ask, make, shortClip, smallPicture } from "./src/scenes.ts";
import { holdUndoTime } from "./src/undo-time.ts";
import { patience, Visit, wide } from "./src/visitor.ts";

let visit: Visit;

beforeAll(async () => {
  visit = await Visit.begin();
  for (const prompt of ["a red lighthouse by the sea", "an orange cat in a forest", "a castle at night"]) {
    await make(visit, smallPicture(prompt));
  }
  await make(visit, shortClip("a boat at sea"));
}, patience);

afterAll(() => visit?.end());

const cells = (page: Page): Locator => page.getByRole("grid").locator("[data-print]");
const picture = (page: Page, prompt: string): Locator => page.getByRole("button", { name: new RegExp(`^${prompt}`) });

async function openGallery(query = "", options: Parameters<Visit["open"]>[1] = wide) {
  const opened = await visit.open(`/gallery${query}`, options);
  await opened.page.getByRole("heading", { name: "Gallery", level: 1 }).waitFor({ state: "attached" });
  return opened;
}

describe("the gallery in a browser", () => {
  test("shows what was made, finds it by its words and its kind, and keeps the filter in the address", {
    timeout: patience,
  }, async () => {
    const { page, context, faults } = await openGallery();
    await picture(page, "a castle at night").waitFor();
    expect(await cells(page).count()).toBe(4);
    await page.getByRole("searchbox", { name: "Search prompts" }).fill("cat");
    await expect.poll(() => cells(page).count()).toBe(1);
    await picture(page, "an orange cat in a forest").waitFor();
    expect(page.url()).toContain("q=cat");
    await page.reload();
    await picture(page, "an orange cat in a forest").waitFor();
    expect(await cells(page).count()).toBe(1);
    await page.goto(new URL("/gallery?type=video", visit.url).href);
    await picture(page, "a boat at sea").waitFor();
    expect(await cells(page).count()).toBe(1);
    expect(faults).toEqual([]);
    await context.close();
  });

  test("a picture's settings go into the studio's form", { timeout: patience }, async () => {
    const { page, context, faults } = await openGallery();
    await picture(page, "a castle at night").click();
    await page
      .getByRole("link", { name: "Use these settings" })
      .or(page.getByRole("button", { name: "Use these settings" }))
      .click();
    await expect.poll(() => page.getByRole("textbox", { name: "Prompt" }).inputValue()).toBe("a castle at night");
    expect(new URL(page.url()).searchParams.get("use")).toBe(null);
    expect(faults).toEqual([]);
    await context.close();
  });

  test("a deletion can be taken back; carried out, it leaves every open tab (FR-007)", {
    timeout: patience,
  }, async () => {
    const id = await make(visit, smallPicture("a mushroom to delete"));
    const { page, context } = await openGallery();
    const other = await context.newPage();
    await other.goto(page.url());
    await picture(other, "a mushroom to delete").waitFor();
    await picture(page, "a mushroom to delete").waitFor();
    await holdUndoTime(page);
    const choose = async () => {
      await picture(page, "a mushroom to delete").focus();
      await page.keyboard.press("x");
      await page.keyboard.press("Delete");
    };
    await choose();
    await page.getByRole("button", { name: "Undo" }).click();
    await picture(page, "a mushroom to delete").waitFor();
    const read = () => ask(visit, `/tasks/${id}`);
    expect((await read()).status).toBe(200);
    await page.keyboard.press("Escape");
    await choose();
    await picture(page, "a mushroom to delete").waitFor({ state: "detached" });
    // The page goes away before the time for second thoughts is over: the request leaves at once.
    await page.close();
    await picture(other, "a mushroom to delete").waitFor({ state: "detached" });
    await expect.poll(async () => (await read()).status).toBe(404);
    await context.close();
  });
});
