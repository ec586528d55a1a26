// Every page and every dialog, dark and light, wide and on a phone: axe finds nothing (WCAG 2.2 AA and its best practice).
import type { Page, Route } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { findViolations } from "./src/axe.ts";
import { copyTask, make, shortClip, smallPicture, submit, whileStopped } from "./src/scenes.ts";
import { chooseModel, givePassword, patience, phone, stage, Visit, wide } from "./src/visitor.ts";

const sizes = { wide, phone };
/** The long run judges by every rule in both sizes and both themes. */
const isLong = process.env["SAFELIGHT_TEST_LONG"] !== undefined;
const password = "a lamp in the dark";
const failedId = "00000000-0000-7000-8000-000000000001";
let visit: Visit;
let picture: string;
let clip: string;

beforeAll(async () => {
  visit = await Visit.begin({ ACCESS_PASSWORD: password });
}, patience);

afterAll(() => visit?.end());

/** Everything found so far in one test, each line with the state of the page it was found in. */
class Inspection {
  readonly found: string[] = [];
  readonly page: Page;
  readonly size: keyof typeof sizes;

  constructor(page: Page, size: keyof typeof sizes) {
    this.page = page;
    this.size = size;
  }

  /** Judges the page as it stands: dark by every rule, light by those that colours can break. */
  async look(state: string): Promise<void> {
    for (const colorScheme of ["dark", "light"] as const) {
      await this.page.emulateMedia({ colorScheme });
      const violations = await findViolations(this.page, undefined, { colours: colorScheme === "light" && !isLong });
      this.found.push(...violations.map((violation) => `${state}, ${this.size}, ${colorScheme}: ${violation}`));
    }
  }
}

async function open(path: string, size: keyof typeof sizes) {
  // Without motion nothing has to be waited for: what is judged is how it stands.
  const opened = await visit.open(path, { ...sizes[size], reducedMotion: "reduce" });
  return { ...opened, inspection: new Inspection(opened.page, size) };
}

const prompt = (page: Page) => page.getByRole("textbox", { name: "Prompt" });

describe("an installation that is new", () => {
  test("asks for the password, then shows empty pages", { timeout: patience }, async () => {
    const { page, context } = await visit.open("/");
    const inspection = new Inspection(page, "wide");
    const gate = page.getByRole("dialog");
    await gate.getByLabel("Access password").fill("wrong");
    await gate.getByRole("button", { name: "Come in" }).click();
    await gate.getByText("Wrong password.").waitFor();
    await inspection.look("a wrong password");
    await givePassword(page, password);
    await prompt(page).waitFor();
    await page.getByText("Nothing on the easel yet").waitFor();
    await inspection.look("empty studio");
    await page.keyboard.press("Control+Enter");
    await page.getByText("1 thing to fix").waitFor();
    await inspection.look("a refused form");
    await page.setViewportSize({ width: 800, height: 900 });
    await page.getByRole("link", { name: "Queue" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Notify me when a task ends" }).waitFor();
    await inspection.look("an empty queue");
    await page.setViewportSize(wide.viewport);
    await page.goto(new URL("/gallery", visit.url).href);
    await page.getByText("Nothing here yet").waitFor();
    await inspection.look("empty gallery");
    await page.goto(new URL("/history", visit.url).href);
    await page.getByText("Nothing has been made yet").waitFor();
    await inspection.look("empty history");
    expect(inspection.found).toEqual([]);
    await context.close();
  });
});

describe("an installation in use", () => {
  beforeAll(async () => {
    await visit.enter(password);
    picture = await make(visit, smallPicture("a red lighthouse by the sea, photorealistic"));
    clip = await make(visit, { ...shortClip("a boat at sea"), negative_prompt: "people" });
    await whileStopped(visit, (database) =>
      copyTask(database, picture, 1, {
        id: `'${failedId}'`,
        prompt: "'a castle that was too large'",
        status: "'failed'",
        error_code: "'out_of_memory'",
        error_msg: "'The worker ran out of memory.'",
        result_path: "null",
      }),
    );
  }, patience);

  describe.each(isLong ? (["wide", "phone"] as const) : (["wide"] as const))("%s", (size) => {
    test("the recipe of every model, and the list of them", { timeout: patience }, async () => {
      const { page, context, inspection } = await open("/", size);
      await prompt(page).waitFor();
      await page.getByText("Advanced", { exact: true }).click();
      for (const model of ["AniSora", "Wan 2.2 Rapid", "Pony", "FLUX.1"]) {
        await chooseModel(page, model);
        await page.getByRole("button", { name: new RegExp(`^Model: ${model}`) }).waitFor();
        await inspection.look(`recipe of ${model}`);
      }
      await page.getByRole("button", { name: /^Model:/ }).click();
      await page.getByRole("option").first().waitFor();
      await inspection.look("list of models");
      expect(inspection.found).toEqual([]);
      await context.close();
    });

    test("the stage with a picture, a clip, a failure, and nothing", { timeout: patience }, async () => {
      const { page, context, inspection } = await open(`/?task=${picture}`, size);
      await stage(page)
        .getByRole("img", { name: /^Result:/ })
        .waitFor();
      await inspection.look("a picture on the stage");
      await stage(page).getByRole("button", { name: "More actions" }).click();
      await page.getByRole("menuitem").first().waitFor();
      await inspection.look("the menu of a result");
      await page.goto(new URL(`/?task=${clip}`, visit.url).href);
      await stage(page).locator("video").waitFor();
      await inspection.look("a clip on the stage");
      await page.goto(new URL(`/?task=${failedId}`, visit.url).href);
      await stage(page).getByText("out_of_memory").waitFor();
      await inspection.look("a failure on the stage");
      await page.goto(new URL("/?task=none", visit.url).href);
      await page.getByText("This task is no longer here").waitFor();
      await inspection.look("no such task");
      expect(inspection.found).toEqual([]);
      await context.close();
    });

    test("what runs and what waits", { timeout: patience }, async () => {
      const long = { model: "anisora", mode: "t2v", num_frames: 161, width: 1280, height: 1280 };
      const ids: string[] = [];
      for (const each of ["first", "second", "third"]) {
        ids.push(await submit(visit, { ...long, prompt: `a rocket above the moon, the ${each}` }));
      }
      const { page, context, inspection } = await open(`/?task=${ids[0]}`, size);
      await stage(page).getByRole("button", { name: "Cancel", exact: true }).waitFor();
      await inspection.look("a task under way");
      await page.goto(new URL(`/?task=${ids[2]}`, visit.url).href);
      await stage(page).getByRole("button", { name: "Cancel", exact: true }).waitFor();
      await inspection.look("a task that waits");
      if (size === "wide") await page.setViewportSize({ width: 1024, height: 800 });
      await page.goto(new URL("/?queue=open", visit.url).href);
      await page.getByRole("button", { name: "Close the queue" }).or(page.getByRole("dialog")).first().waitFor();
      await inspection.look("the queue");
      await page.goto(new URL("/history", visit.url).href);
      await page.getByRole("button", { name: /^Cancel: .*the first/ }).waitFor();
      await inspection.look("the history while something runs");
      for (const id of ids.toReversed()) await page.request.post(`${visit.url}/cancel/${id}`);
      await page.getByRole("button", { name: /^Retry: .*the first/ }).waitFor();
      expect(inspection.found).toEqual([]);
      await context.close();
    });

    test("gallery, a picture and a clip with their recipes, its questions", { timeout: patience }, async () => {
      const { page, context, inspection } = await open("/gallery", size);
      const cell = page.getByRole("button", { name: /^a red lighthouse/ });
      await cell.waitFor();
      await cell.focus();
      await page.keyboard.press("x");
      await page.getByRole("toolbar", { name: "Selection" }).waitFor();
      await inspection.look("the gallery with a selection");
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: "More", exact: true }).last().click();
      await page.getByRole("menuitem", { name: /^Delete all/ }).click();
      await page.getByRole("alertdialog").waitFor();
      await inspection.look("the question before everything is deleted");
      await page.keyboard.press("Escape");
      await cell.focus();
      await page.keyboard.press("Delete");
      await page.getByRole("button", { name: "Undo" }).waitFor();
      await inspection.look("a deletion that can be taken back");
      await page.getByRole("button", { name: "Undo" }).click();
      await cell.click();
      await page.getByRole("button", { name: "Use these settings" }).waitFor();
      await inspection.look("a picture and its recipe");
      await page.goto(new URL(`/gallery?item=${clip}`, visit.url).href);
      await page.getByRole("button", { name: "Use these settings" }).waitFor();
      await inspection.look("a clip and its recipe");
      await page.goto(new URL("/gallery?item=none", visit.url).href);
      await page.getByText("This picture is not there").waitFor();
      await inspection.look("no such picture");
      await page.goto(new URL("/gallery?q=zebra", visit.url).href);
      await page.getByText("Nothing matches").waitFor();
      await inspection.look("nothing found");
      expect(inspection.found).toEqual([]);
      await context.close();
    });

    test("history, its filters and details", { timeout: patience }, async () => {
      const { page, context, inspection } = await open("/history", size);
      const failed = page.getByRole("article", { name: "a castle that was too large" });
      await failed.getByText("out_of_memory").waitFor();
      await page.getByRole("button", { name: "Filters" }).click();
      await inspection.look("the history and its filters");
      for (const name of ["a castle that was too large", "a boat at sea"]) {
        await page.getByRole("button", { name, exact: true }).click();
      }
      await page.getByText("What the server says").waitFor();
      await inspection.look("the history's details");
      await page.goto(new URL("/history?q=zebra", visit.url).href);
      await page.getByText("No task matches").waitFor();
      await inspection.look("nothing found in the history");
      expect(inspection.found).toEqual([]);
      await context.close();
    });

    test("what stands around the pages", { timeout: patience }, async () => {
      const { page, context, inspection } = await open("/", size);
      // The server gives its own answer for such an address; the page can only be led there from within.
      await page.evaluate("history.pushState(null, '', '/nowhere'), dispatchEvent(new PopStateEvent('popstate'))");
      await page.getByText("There is no such page").waitFor();
      await inspection.look("no such page");
      await page.goto(new URL("/gallery", visit.url).href);
      await page.getByRole("button", { name: /^a red lighthouse/ }).waitFor();
      await page.keyboard.press("?");
      await page.getByRole("dialog").waitFor();
      await inspection.look("the list of keys");
      await page.keyboard.press("Escape");
      await page.getByRole("button", { name: /^Language/ }).click();
      await page.getByRole("menuitemradio").first().waitFor();
      await inspection.look("the languages");
      expect(inspection.found).toEqual([]);
      await context.close();
    });
  });

  test("a server that is gone, and a visitor who has left", { timeout: patience }, async () => {
    // An installation of its own: all these log-ins together with those before would be more than ten in a minute.
    await visit.end();
    visit = await Visit.begin({ ACCESS_PASSWORD: password });
    await visit.enter(password);
    const { page, context, inspection } = await open("/", "wide");
    await prompt(page).waitFor();
    await page.getByRole("button", { name: "More", exact: true }).first().click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await page.getByText("You are signed out").waitFor();
    await inspection.look("signed out");
    await page.getByRole("button", { name: "Come in" }).click();
    await givePassword(page, password);
    await prompt(page).fill("a snowman");
    // The session ends on the way, before the page can learn of it by itself.
    const answers: number[] = [];
    const endSession = async (route: Route) => {
      const answer = await page.request.delete(`${visit.url}/auth/session`);
      answers.push(answer.status());
      await route.continue();
    };
    await page.route("**/generate", endSession, { times: 1 });
    expect(await prompt(page).inputValue()).toBe("a snowman");
    const sent = page.waitForRequest("**/generate");
    await page.getByRole("button", { name: /^Generate/ }).click();
    await sent;
    await expect.poll(() => answers).toEqual([204]);
    await page.getByText("Your prompt and settings are still here.").waitFor();
    await inspection.look("a session that ended");
    await givePassword(page, password);
    await stage(page).getByRole("heading", { name: "a snowman" }).waitFor();
    await visit.server.stop("SIGKILL");
    await page.getByText("No connection.").waitFor();
    await inspection.look("no connection");
    expect(inspection.found).toEqual([]);
    await context.close();
  });
});
