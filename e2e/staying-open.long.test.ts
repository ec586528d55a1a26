// A page that stays open while things happen to the server and to its session.

import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { whileHeld } from "./src/held-run.ts";
import { chooseModel, generate, patience, stage, Visit } from "./src/visitor.ts";

let visit: Visit;

beforeAll(async () => {
  visit = await Visit.begin();
}, patience);

afterAll(() => visit?.end());

/** Changes the stored sessions while no server runs; answers how many. */
function changeSessions(sql: string): number {
  const database = new DatabaseSync(join(visit.directory, "safelight.sqlite"));
  const { changes } = database.prepare(sql).run();
  database.close();
  return Number(changes);
}

describe("a page that stays open", () => {
  test("goes on after the server was killed and started again in the middle of a run (FR-006)", {
    timeout: patience,
  }, async () => {
    const { page, context } = await visit.openStudio();
    await chooseModel(page, "Wan 2.2 Rapid");
    await page.getByText("3 s", { exact: true }).click();
    // Held, so that the middle of the run is neither missed by the page nor over before the kill.
    const begin = () => generate(page, "a boat at sea, before the restart");
    await whileHeld(visit, begin, async () => {
      await stage(page)
        .getByText(/^\d+ %$/)
        .first()
        .waitFor();
      await visit.restart("SIGKILL");
    });
    await stage(page).locator("video").waitFor();
    await generate(page, "a boat at sea, after the restart");
    await stage(page).getByRole("heading", { name: "a boat at sea, after the restart" }).waitFor();
    await stage(page).locator("video").waitFor();
    await context.close();
  });

  test("renews its session by itself when that has expired (SC-003)", { timeout: patience }, async () => {
    const { page, context } = await visit.openStudio();
    await visit.server.stop("SIGTERM");
    expect(changeSessions("UPDATE sessions SET expires_at = 1000")).toBeGreaterThan(0);
    await visit.restart("SIGTERM");
    await chooseModel(page, "FLUX.1");
    await generate(page, "a castle under a new session");
    const result = stage(page).getByRole("img", { name: "Result: a castle under a new session" });
    await result.waitFor();
    expect(await page.getByRole("dialog").count()).toBe(0);
    visit.forgetVisitor();
    await context.close();
  });

  test("renews its session by itself when that was revoked, and shows pictures again", {
    timeout: patience,
  }, async () => {
    const { page, context } = await visit.openStudio();
    await page.request.delete(`${visit.url}/auth/session`);
    await chooseModel(page, "FLUX.1");
    await generate(page, "a snowman after signing out elsewhere");
    const result = stage(page).getByRole("img", { name: "Result: a snowman after signing out elsewhere" });
    await result.waitFor();
    await expect.poll(() => result.evaluate((it: { naturalWidth: number }) => it.naturalWidth)).toBeGreaterThan(0);
    visit.forgetVisitor();
    await context.close();
  });

  test("another tab sees what this one submits, and its end", { timeout: patience }, async () => {
    const one = await visit.openStudio();
    const two = await one.context.newPage();
    await two.goto(visit.url);
    await two.getByRole("textbox", { name: "Prompt" }).waitFor();
    await chooseModel(one.page, "FLUX.1");
    await generate(one.page, "a mushroom seen in two tabs");
    await two.getByText("a mushroom seen in two tabs").first().waitFor();
    expect(one.faults).toEqual([]);
    await one.context.close();
  });
});
