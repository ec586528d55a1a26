// The pages as wholes: a reload of every address, the history with its failures, notices, and another language.
import { catalog } from "@safelight/catalog";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { whileHeld } from "./src/held-run.ts";
import { signInBeside } from "./src/operator.ts";
import { ask, copyTask, finished, make, shortClip, smallPicture, submit, whileStopped } from "./src/scenes.ts";
import { patience, Visit, wide } from "./src/visitor.ts";

const ownNames =
  "Safelight Sketch sketch API CLIP PNG png JPEG jpeg WebP webp WebM webm mp4 JSON zip Ctrl Enter Esc Del";
const failedId = "00000000-0000-7000-8000-000000000001";
let visit: Visit;
let picture: string;

beforeAll(async () => {
  visit = await Visit.begin();
  // Words without meaning in any language: what is found in English is then the page's own.
  picture = await make(visit, { ...smallPicture("красный маяк у моря"), seed: 4711, negative_prompt: "люди" });
  await make(visit, shortClip("лодка в море"));
  await whileStopped(visit, (database) =>
    copyTask(database, picture, 1, {
      id: `'${failedId}'`,
      prompt: "'слишком большой замок'",
      status: "'failed'",
      error_code: "'out_of_memory'",
      error_msg: "'The worker ran out of memory.'",
      result_path: "null",
      created_at: "tasks.created_at + 1",
    }),
  );
}, patience);

afterAll(() => visit?.end());

async function status(id: string): Promise<Record<string, unknown>> {
  return (await (await ask(visit, `/tasks/${id}`)).json()) as Record<string, unknown>;
}

describe("a reload", () => {
  test("gives the page at each of its addresses, never JSON", { timeout: patience }, async () => {
    const { page, context, faults } = await visit.openStudio();
    const addresses: [string, string][] = [
      ["/", "Studio"],
      [`/?task=${picture}`, "Studio"],
      ["/gallery", "Gallery"],
      [`/gallery?item=${picture}&q=маяк`, "Gallery"],
      ["/history", "History"],
      ["/history?status=failed", "History"],
    ];
    for (const [address, title] of addresses) {
      await page.goto(new URL(address, visit.url).href);
      const answer = await page.reload();
      expect([answer?.status(), answer?.headers()["content-type"]], address).toEqual([200, "text/html; charset=utf-8"]);
      // Behind an open picture the page is out of reach, its heading with it.
      await page.locator("h1", { hasText: title }).waitFor({ state: "attached" });
    }
    expect(faults).toEqual([]);
    await context.close();
  });
});

describe("the history", () => {
  test("tells why a task failed and runs it again with the same settings, live", { timeout: patience }, async () => {
    const { page, context, faults } = await visit.open("/history?status=failed");
    const row = page.getByRole("article", { name: "слишком большой замок" });
    await row.getByText("Out of memory").waitFor();
    await row.getByText("out_of_memory").waitFor();
    const accepted = page.waitForResponse((answer) => answer.url().endsWith("/generate"));
    await row.getByRole("button", { name: /^Retry/ }).click();
    const { task_id: id } = (await (await accepted).json()) as { task_id: string };
    await page.goto(new URL("/history", visit.url).href);
    await expect.poll(() => row.count()).toBe(2);
    await row.first().getByText("Done").waitFor();
    const [before, after] = await Promise.all([status(failedId), status(id)]);
    for (const field of ["model", "mode", "prompt", "negative_prompt", "seed", "parameters"]) {
      expect(after[field], field).toEqual(before[field]);
    }
    expect(faults).toEqual([]);
    await context.close();
  });

  test("shows a new task at once and follows it to its end", { timeout: patience }, async () => {
    const asOperator = await signInBeside(visit);
    const { page, context, faults } = await visit.open("/history");
    await page.getByRole("article").first().waitFor();
    // Nothing passes unseen: the queue waits until the row was seen waiting, the engine until it was seen at work.
    await asOperator("POST", "/admin/queue/pause");
    const id = await submit(visit, { ...shortClip("ракета над луной"), width: 720, height: 720 });
    const row = page.getByRole("article", { name: "ракета над луной" });
    await row.getByText("Waiting: the operator has paused the queue.").waitFor();
    await row.getByRole("button", { name: /^Cancel/ }).waitFor();
    const begin = () => asOperator("POST", "/admin/queue/resume").then(() => id);
    await whileHeld(visit, begin, async () => {
      await row.getByText(/^[1-9]\d? %, /).waitFor();
      await row.getByRole("button", { name: /^Cancel/ }).waitFor();
    });
    await row.getByText("Done").waitFor();
    await row.getByRole("link", { name: /^Download/ }).waitFor();
    expect(faults).toEqual([]);
    await context.close();
  });
});

describe("a notice of the system", () => {
  /** Stands in for the system's notices and for the tab being out of sight, which a browser without a screen never is. */
  const spy = `
    window.shown = [];
    window.outOfSight = false;
    window.Notification = class extends EventTarget {
      static permission = "granted";
      static requestPermission = async () => "granted";
      constructor(title, { body }) { super(); window.shown.push([title, body]); }
      close() {}
    };
    Object.defineProperty(Document.prototype, "visibilityState", {
      get: () => (window.outOfSight ? "hidden" : "visible"),
    });`;

  test("tells of an end while the tab is out of sight, and of none in sight", { timeout: patience }, async () => {
    // Of several tabs one alone speaks: this one, once the first has gone.
    const { page: first, context } = await visit.openStudio();
    await first.close();
    await context.grantPermissions(["notifications"], { origin: visit.url });
    await context.addInitScript(spy);
    const page = await context.newPage();
    await page.goto(visit.url);
    await page.getByRole("button", { name: "Notify me when a task ends" }).first().click();
    const seen = await submit(visit, smallPicture("мельница на виду"));
    await finished(visit, seen);
    await page.getByRole("button", { name: /^Picture: мельница на виду/ }).waitFor();
    await page.evaluate("(window.outOfSight = true, document.dispatchEvent(new Event('visibilitychange')))");
    const unseen = await submit(visit, smallPicture("мельница за холмом"));
    await finished(visit, unseen);
    await expect.poll(() => page.evaluate("window.shown")).toEqual([["Done", "мельница за холмом"]]);
    expect(await page.title()).toMatch(/^\(1\)/);
    await context.close();
  });
});

describe("the documentation of the interface", () => {
  test("GET /docs shows every operation, breaks no policy and asks nobody else for anything", {
    timeout: patience,
  }, async () => {
    const page = await visit.browser.newPage();
    const complaints: string[] = [];
    const foreign: string[] = [];
    page.on("console", (message) => {
      if (message.type() === "error") complaints.push(message.text());
    });
    page.on("pageerror", (error) => complaints.push(error.message));
    page.on("request", (request) => {
      if (!request.url().startsWith(visit.url) && !request.url().startsWith("data:")) foreign.push(request.url());
    });
    await page.goto(`${visit.url}/docs`);
    await page.waitForSelector(".opblock");
    const { paths } = (await (await ask(visit, "/openapi.json")).json()) as {
      paths: Record<string, Record<string, unknown>>;
    };
    const operations = Object.values(paths).reduce((count, path) => count + Object.keys(path).length, 0);
    await expect.poll(() => page.locator(".opblock").count()).toBe(operations);
    await page.locator(".opblock", { hasText: "/status/{id}" }).first().click();
    await page.waitForSelector(".opblock.is-open .parameters");
    expect(complaints).toEqual([]);
    expect(foreign).toEqual([]);
    await page.close();
  });
});

describe("in Russian", () => {
  // Names of models, their licences and samplers, of files, keys and the engine are the same in every language.
  const samplers = "Euler DPM Karras SDE flow matching";
  const names = new Set(
    [...catalog.models.flatMap(({ name, licence }) => [name, licence.name]), ownNames, samplers]
      .join(" ")
      .match(/[A-Za-z]{3,}/g),
  );

  /** Latin words of three letters and more in what can be read or is read out, but for names and what is marked as English. */
  async function latinWords(page: Page): Promise<string[]> {
    const texts = await page.evaluate<string[]>(`(() => {
      const texts = [];
      const named = ["aria-label", "aria-valuetext", "title", "placeholder", "alt"];
      for (const element of document.querySelectorAll("body, body *")) {
        if (element.closest('script, style, noscript, [lang="en"], .mono, kbd') !== null) continue;
        for (const name of named) texts.push(element.getAttribute(name) ?? "");
        for (const child of element.childNodes) if (child.nodeType === 3) texts.push(child.data);
      }
      return texts;
    })()`);
    return texts.filter((text) => (text.match(/[A-Za-z]{3,}/g) ?? []).some((word) => !names.has(word)));
  }

  const used = catalog.models.find(({ id }) => id === smallPicture("")["model"])?.name ?? "";

  /** Until the list of models has come, a page calls them by their ids: no name in any language. */
  const modelsAreNamed = (page: Page) => page.getByText(used).first().waitFor({ state: "attached" });

  test("no page says a word of English", { timeout: patience }, async () => {
    const { page, context, faults } = await visit.open(`/?task=${picture}`, { ...wide, locale: "ru-RU" });
    await expect.poll(() => page.locator("html").getAttribute("lang")).toBe("ru");
    await page
      .getByRole("img", { name: /^Результат:/ })
      .first()
      .waitFor();
    await page.getByText("Подробно", { exact: true }).click();
    const found: Record<string, string[]> = {};
    for (const entry of catalog.models) {
      await page.getByRole("button", { name: /^Модель:/ }).click();
      await page.getByRole("listbox").getByRole("option", { name: entry.name }).click();
      found[`studio, ${entry.id}`] = await latinWords(page);
    }
    await page.keyboard.press("Control+Enter");
    await page.getByRole("alert").first().waitFor();
    found["a refused form"] = await latinWords(page);
    await page.goto(new URL(`/gallery?item=${picture}`, visit.url).href);
    await page.getByRole("button", { name: "Взять настройки" }).waitFor();
    await modelsAreNamed(page);
    found["gallery"] = await latinWords(page);
    await page.goto(new URL("/history", visit.url).href);
    await page.getByRole("button", { name: "Фильтры" }).click();
    await page.getByRole("button", { name: "красный маяк у моря", exact: true }).click();
    await modelsAreNamed(page);
    found["history"] = await latinWords(page);
    await page.goto(new URL("/gallery", visit.url).href);
    await page.getByRole("searchbox").waitFor();
    await modelsAreNamed(page);
    await page.keyboard.press("?");
    await page.getByRole("dialog").waitFor();
    found["keys"] = await latinWords(page);
    expect(Object.entries(found).filter(([, words]) => words.length > 0)).toEqual([]);
    expect(faults).toEqual([]);
    await context.close();
  });
});
