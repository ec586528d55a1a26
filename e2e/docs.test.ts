// The documentation page in a real browser: it renders under its strict policy, from this server alone.
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launchBrowser } from "./src/browser.ts";
import { type ServerProcess, startServerProcess, temporaryDirectory } from "./src/server-process.ts";

let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let server: ServerProcess;
let browser: Browser;
beforeAll(async () => {
  directory = await temporaryDirectory();
  [server, browser] = await Promise.all([startServerProcess(directory.path), launchBrowser()]);
});
afterAll(async () => {
  await browser?.close();
  await server?.stop("SIGTERM");
  await directory?.remove();
});

test("GET /docs shows every operation, breaks no policy and asks nobody else for anything", async () => {
  const page = await browser.newPage();
  const complaints: string[] = [];
  const foreign: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("request", (request) => {
    if (!request.url().startsWith(server.url) && !request.url().startsWith("data:")) foreign.push(request.url());
  });
  await page.goto(`${server.url}/docs`);
  await page.waitForSelector(".opblock");
  const { paths } = (await (await fetch(`${server.url}/openapi.json`)).json()) as {
    paths: Record<string, Record<string, unknown>>;
  };
  const operations = Object.values(paths).reduce((count, path) => count + Object.keys(path).length, 0);
  expect(await page.locator(".opblock").count()).toBe(operations);
  await page.locator(".opblock", { hasText: "/status/{id}" }).first().click();
  await page.waitForSelector(".opblock.is-open .parameters");
  expect(complaints).toEqual([]);
  expect(foreign).toEqual([]);
});
