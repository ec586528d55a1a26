// What an operator does, in a browser, on a real server with a real worker process as an account.
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { findViolations } from "./src/axe.ts";
import {
  accountRow,
  addHttpAccount,
  askAsOperator,
  chooseFor,
  openDashboard,
  readAdminKey,
  signIn,
  signInBeside,
  waitForStanding,
} from "./src/operator.ts";
import { sidewaysScroll } from "./src/page-facts.ts";
import { temporaryDirectory } from "./src/server-process.ts";
import { patience, phone, Visit, wide } from "./src/visitor.ts";
import { startWorkerProcess, type WorkerProcess } from "./src/worker-process.ts";

let visit: Visit;
let worker: WorkerProcess;
let workerFolder: Awaited<ReturnType<typeof temporaryDirectory>>;

beforeAll(async () => {
  workerFolder = await temporaryDirectory();
  const environment = { MODAL_PYTHON: await writeDeployCommand() };
  [visit, worker] = await Promise.all([
    Visit.begin(environment),
    startWorkerProcess(workerFolder.path, ["--models", "flux"]),
  ]);
}, patience);

/** Stands in for Modal's command, so that no deploy of a test leaves the machine: it says something, and ends when it is told to. */
async function writeDeployCommand(): Promise<string> {
  const [path, failing] = ["deploy-command", "deploys-fail"].map((name) => join(workerFolder.path, name)) as [
    string,
    string,
  ];
  const failure = 'echo "Error: the cupboard is bare"; exit 1';
  const script = `#!/bin/sh\necho "Building the image"\nif [ -e "${failing}" ]; then ${failure}; fi\nexec sleep 60\n`;
  await writeFile(path, script, { mode: 0o755 });
  return path;
}

// A test that fails leaves nothing that another one would stumble over.
afterEach(async () => {
  const request = await signInBeside(visit);
  await request("POST", "/admin/queue/resume");
  const { accounts } = (await request("GET", "/admin/accounts")) as { accounts: { workspace: string }[] };
  for (const { workspace } of accounts) await request("DELETE", `/admin/accounts/${workspace}?force=1`);
});

afterAll(async () => {
  await visit?.end();
  await worker?.stop();
  await workerFolder?.remove();
});

/** What the page itself did wrong: that a session is refused is no fault of it. */
const ownFaults = (faults: readonly string[]) => faults.filter((fault) => !fault.includes("401"));

async function submit(prompt: string): Promise<string> {
  const answer = await fetch(`${visit.url}/generate`, {
    method: "POST",
    headers: { "x-api-key": visit.server.apiKey, "content-type": "application/json" },
    body: JSON.stringify({ model: "flux", mode: "txt2img", prompt, width: 512, height: 512, steps: 15 }),
  });
  expect(answer.status, await answer.clone().text()).toBe(202);
  return ((await answer.json()) as { task_id: string }).task_id;
}

async function statusOf(id: string): Promise<string> {
  const answer = await fetch(`${visit.url}/status/${id}`, { headers: { "x-api-key": visit.server.apiKey } });
  return ((await answer.json()) as { status: string }).status;
}

/** Adds the worker under a name of the test's own and waits until it is ready. */
async function addWorker(page: Page, workspace: string): Promise<void> {
  await addHttpAccount(page, { label: `Label of ${workspace}`, workspace, url: worker.url, key: worker.key });
  await waitForStanding(page, workspace, "ready", 5_000);
}

/** A press of the mouse, as a person's. `click` would first bring a link into view, and takes one in a bar that sticks to the top for the page's top. */
async function pressInPlace(target: Locator): Promise<void> {
  const box = await target.boundingBox();
  if (box === null) throw new Error("What shall be pressed has no place on the page.");
  await target.page().mouse.click(box.x + box.width / 2, box.y + box.height / 2);
}

describe("the operator's pages in a browser", () => {
  test("a wrong key is refused, the right one lets in and stays nowhere; signing out ends it", {
    timeout: patience,
  }, async () => {
    const key = await readAdminKey(visit);
    const { page, context, faults } = await visit.open("/admin");
    await signIn(page, "wrong-key");
    await page.getByText("Wrong key. Each try is recorded.").waitFor();
    await signIn(page, key);
    await page.waitForURL("**/admin/dashboard");
    await page.getByRole("heading", { name: "Operator dashboard" }).waitFor({ state: "attached" });
    const kept = await context.storageState();
    expect(JSON.stringify(kept)).not.toContain(key);
    expect(kept.cookies.map(({ name, path, httpOnly, sameSite }) => [name, path, httpOnly, sameSite])).toEqual([
      ["gg_admin_session", "/admin", true, "Strict"],
    ]);
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Admin key").waitFor();
    await page.reload();
    await page.getByLabel("Admin key").waitFor();
    expect(ownFaults(faults)).toEqual([]);
    await context.close();
  });

  test("an account is added, seen ready within 5 s, runs a task, drains, is disabled and deleted; all of it is on record (FR-008, FR-012)", {
    timeout: patience,
  }, async () => {
    const { page, context, faults } = await openDashboard(visit);
    await addWorker(page, "attic-gpu");
    const row = accountRow(page, "attic-gpu");
    const id = await submit("a red lighthouse by the sea");
    await expect.poll(() => statusOf(id), { timeout: 60_000 }).toBe("done");
    await expect.poll(() => row.locator(".admin-used").first().textContent(), { timeout: 10_000 }).toBe("1");

    await row.getByRole("button", { name: "Drain: attic-gpu" }).click();
    await waitForStanding(page, "attic-gpu", "draining");
    await row.getByRole("button", { name: "Resume: attic-gpu" }).click();
    await waitForStanding(page, "attic-gpu", "ready");

    await chooseFor(page, "attic-gpu", "Disable");
    await page.getByRole("alertdialog").getByRole("button", { name: "Disable attic-gpu" }).click();
    await waitForStanding(page, "attic-gpu", "disabled");
    await row.getByRole("button", { name: "Enable: attic-gpu" }).click();
    await waitForStanding(page, "attic-gpu", "ready");

    await chooseFor(page, "attic-gpu", "Replace credentials");
    await page.getByLabel("Worker key", { exact: true }).fill("not-the-key-of-this-worker");
    await page.getByRole("button", { name: "Replace and check" }).click();
    await waitForStanding(page, "attic-gpu", "failed");

    await chooseFor(page, "attic-gpu", "Delete");
    const question = page.getByRole("alertdialog");
    await question.getByText("attic-gpu and its credentials are removed for good", { exact: false }).waitFor();
    expect(await question.getByLabel("Let running tasks finish").isChecked()).toBe(true);
    expect(await question.getByRole("button", { name: "Delete attic-gpu" }).isDisabled()).toBe(true);
    await question.getByLabel("Type attic-gpu to confirm").fill("attic-gpu");
    await question.getByRole("button", { name: "Delete attic-gpu" }).click();
    await row.waitFor({ state: "detached" });

    expect(await page.content()).not.toContain(worker.key);
    expect(ownFaults(faults)).toEqual([]);
    await context.close();
    // No person is this quick: what one session may ask in a minute is used up, so another reads the record.
    const reading = await openDashboard(visit);
    const audit = reading.page.locator("#audit");
    const actions = ["Add account", "Drain account", "Disable account", "Enable account", "Replace secret"];
    for (const action of [...actions, "Delete account"])
      await audit.locator("button", { hasText: action }).first().waitFor();
    await audit.getByLabel("Action").selectOption("delete_account");
    await expect.poll(() => audit.locator("tbody tr").count()).toBe(1);
    expect(await audit.locator("tbody").textContent()).toContain("attic-gpu");
    expect(await reading.page.content()).not.toContain(worker.key);
    expect(ownFaults(reading.faults)).toEqual([]);
    await reading.context.close();
  });

  test("what changes elsewhere is seen within 5 s; without a connection what is known stays, and catches up after", {
    timeout: patience,
  }, async () => {
    const { page, context } = await openDashboard(visit);
    await addWorker(page, "live-gpu");
    const beside = await openDashboard(visit);
    await askAsOperator(beside.page, "post", "/admin/accounts/live-gpu/drain");
    await waitForStanding(page, "live-gpu", "draining", 5_000);
    await context.setOffline(true);
    await page.getByText(/^No connection/).waitFor();
    await waitForStanding(page, "live-gpu", "draining");
    await askAsOperator(beside.page, "post", "/admin/accounts/live-gpu/enable");
    await context.setOffline(false);
    await waitForStanding(page, "live-gpu", "ready");
    await page.getByText(/^No connection/).waitFor({ state: "detached" });
    await beside.context.close();
    await context.close();
  });

  test("a deploy is followed live and cancelled after a question; one that fails says why", {
    timeout: patience,
  }, async () => {
    const { page, context, faults } = await openDashboard(visit);
    await page.getByRole("button", { name: "Add account", exact: true }).first().click();
    const form = page.getByRole("dialog", { name: "Add account" });
    await form.getByRole("textbox", { name: "Label" }).fill("Night shift");
    await form.getByLabel("Workspace").fill("modal-night");
    await form.getByLabel("Token id", { exact: true }).fill("ak-of-a-test");
    await form.getByLabel("Token secret", { exact: true }).fill("as-of-a-test");
    await form.getByRole("button", { name: "Add and check" }).click();
    await form.waitFor({ state: "detached" });
    await accountRow(page, "modal-night").getByText("Not deployed yet.").waitFor();
    await page.getByRole("button", { name: "Deploy: modal-night" }).click();
    const deployments = page.locator("#deployments");
    await deployments.getByRole("log").getByText("Building the image").waitFor();
    expect(await findViolations(page, "#deployments")).toEqual([]);
    await deployments.getByRole("button", { name: "Cancel: modal-night, v1" }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Cancel deployment" }).click();
    await deployments.getByText(/failed: It was cancelled/).waitFor();

    const failing = join(workerFolder.path, "deploys-fail");
    await writeFile(failing, "");
    await page.getByRole("button", { name: "Deploy: modal-night" }).click();
    await deployments.getByText(/failed: .*the cupboard is bare/).waitFor();
    await rm(failing);
    await deployments.getByRole("button", { name: "Log of modal-night, v2" }).click();
    await deployments.getByRole("log").getByText("Error: the cupboard is bare").waitFor();
    await chooseFor(page, "modal-night", "Roll back");
    await page.getByRole("alertdialog").getByRole("button", { name: "Roll back" }).click();
    await page.getByText("Not done for Night shift").waitFor();
    expect(await page.content()).not.toContain("as-of-a-test");
    expect(ownFaults(faults)).toEqual([]);
    await context.close();
  });

  test("a paused queue says so at each task that waits, and goes on", { timeout: patience }, async () => {
    const { page, context, faults } = await openDashboard(visit, "?section=queue");
    const queue = page.locator("#queue");
    await queue.getByRole("button", { name: "Pause" }).click();
    await queue.getByText(/^Paused since/).waitFor();
    const id = await submit("a boat that has to wait");
    const waiting = queue.locator("tr", { hasText: "a boat that has to wait" });
    await waiting.getByText("the queue is paused").waitFor();
    await waiting.getByRole("button", { name: /^Why it waits/ }).click();
    await queue.getByRole("heading", { name: /^Why .* waits$/ }).waitFor();
    expect(await statusOf(id)).toBe("pending");
    await queue.getByRole("button", { name: "Resume" }).click();
    await expect.poll(() => statusOf(id), { timeout: 60_000 }).toBe("done");
    await waiting.waitFor({ state: "detached", timeout: 15_000 });
    expect(ownFaults(faults)).toEqual([]);
    await context.close();
  });

  test("a task is put first, and cancelled after a question", { timeout: patience }, async () => {
    const { page, context } = await openDashboard(visit);
    const queue = page.locator("#queue");
    await queue.getByRole("button", { name: "Pause" }).click();
    await queue.getByText(/^Paused since/).waitFor();
    const id = await submit("a castle that is cancelled");
    const row = queue.locator("tr", { hasText: "a castle that is cancelled" });
    await row.getByRole("button", { name: /^Put .* first$/ }).click();
    await row.getByText("first in line").waitFor();
    await row.getByRole("button", { name: /^Cancel/ }).click();
    const question = page.getByRole("alertdialog");
    await question.getByText("a castle that is cancelled", { exact: false }).waitFor();
    await question.getByRole("button", { name: "Keep" }).click();
    expect(await statusOf(id)).toBe("pending");
    await row.getByRole("button", { name: /^Cancel/ }).click();
    await page.getByRole("alertdialog").getByRole("button", { name: "Cancel task" }).click();
    await expect.poll(() => statusOf(id)).toBe("failed");
    await queue.getByRole("button", { name: "Resume" }).click();
    await queue.getByText(/^Paused since/).waitFor({ state: "detached" });
    await context.close();
  });

  test("nothing resets on the way to the studio and back, nor by F5 what an address can hold", {
    timeout: patience,
  }, async () => {
    const { page, context, faults } = await openDashboard(visit);
    await addWorker(page, "cellar-gpu");
    await page.getByRole("button", { name: "Label of cellar-gpu", exact: true }).click();
    await page.getByLabel("Outcome").selectOption("failure");
    await page.getByText("7 days", { exact: true }).click();
    await page.getByRole("button", { name: "Add account", exact: true }).click();
    await page.getByRole("textbox", { name: "Label" }).fill("Half typed");
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.evaluate("window.scrollTo(0, 400)");
    const address = page.url();
    // Rows that tell their age may grow by a pixel or two meanwhile.
    const shift = () => page.evaluate<number>("Math.abs(window.scrollY - 400)");
    const isWhereItWas = () => expect.poll(shift, { timeout: 15_000 }).toBeLessThan(5);

    await pressInPlace(page.getByRole("link", { name: "Studio" }));
    await page.getByRole("textbox", { name: "Prompt" }).waitFor();
    await page.getByRole("button", { name: "More", exact: true }).click();
    await page.getByRole("menuitem", { name: "Operator" }).click();
    await page.locator("#details-cellar-gpu").waitFor();
    await expect.poll(() => page.url()).toBe(address);
    await isWhereItWas();

    await page.reload();
    await page.locator("#details-cellar-gpu").waitFor();
    expect(page.url()).toBe(address);
    expect(await page.getByLabel("Outcome").inputValue()).toBe("failure");
    expect(await page.getByRole("radio", { name: "7 days" }).isChecked()).toBe(true);
    await isWhereItWas();

    await page.getByRole("button", { name: "Add account", exact: true }).click();
    await page.getByRole("textbox", { name: "Label" }).fill("Typed again");
    await page.getByLabel("Token secret", { exact: true }).fill("as-half-a-secret");
    expect(page.url()).toContain("drawer=add");
    expect(page.url()).not.toContain("secret");
    await page.goBack();
    await page.goForward();
    expect(ownFaults(faults)).toEqual([]);
    await context.close();
  });

  test("a session that ends while the page is open leads to the log-in, and the way on is kept", {
    timeout: patience,
  }, async () => {
    const { page, context } = await openDashboard(visit, "?outcome=failure");
    await page.getByRole("button", { name: "Add account", exact: true }).first().click();
    await page.getByRole("textbox", { name: "Label" }).fill("Typed before the end");
    await askAsOperator(page, "delete", "/admin/session");
    await page.getByText("Your operator session has ended. What you typed is still here.").waitFor();
    expect(new URL(page.url()).search).toBe("?outcome=failure&drawer=add");
    await signIn(page, await readAdminKey(visit));
    await expect.poll(() => page.getByRole("textbox", { name: "Label" }).inputValue()).toBe("Typed before the end");
    await context.close();
  });

  test("works with the keyboard alone", { timeout: patience }, async () => {
    const { page, context } = await openDashboard(visit);
    await addWorker(page, "keys-gpu");
    await page.getByRole("button", { name: "More for keys-gpu" }).focus();
    await page.keyboard.press("ArrowDown");
    await page.getByRole("menuitem", { name: "Edit" }).waitFor();
    await page.keyboard.press("e");
    await page.keyboard.press("Home");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: "Edit Label of keys-gpu" }).waitFor();
    await page.getByRole("textbox", { name: "Label" }).focus();
    await page.keyboard.press("End");
    await page.keyboard.type(" renamed");
    await page.keyboard.press("Enter");
    await accountRow(page, "keys-gpu").getByText("Label of keys-gpu renamed").waitFor();
    await page.getByRole("link", { name: "Audit" }).focus();
    await page.keyboard.press("Enter");
    await expect.poll(() => page.evaluate("document.activeElement.id")).toBe("audit-title");
    await context.close();
  });

  test("programs get the API at its addresses, navigations the page", { timeout: patience }, async () => {
    for (const path of ["/admin", "/admin/dashboard"]) {
      const page = await fetch(visit.url + path, { headers: { accept: "text/html" } });
      expect([path, page.status, page.headers.get("content-type")]).toEqual([path, 200, "text/html; charset=utf-8"]);
      const program = await fetch(visit.url + path, { headers: { accept: "application/json" } });
      expect([path, program.headers.get("content-type")]).toEqual([path, "application/problem+json; charset=utf-8"]);
    }
  });
});

// The long run judges both themes.
const themes = process.env["SAFELIGHT_TEST_LONG"] === undefined ? (["dark"] as const) : (["dark", "light"] as const);

describe.each(themes)("accessibility of the operator's pages, %s", (colorScheme) => {
  test("the log-in, before and after a wrong key", { timeout: patience }, async () => {
    const { page, context } = await visit.open("/admin", { ...wide, colorScheme });
    await page.getByLabel("Admin key").waitFor();
    expect(await findViolations(page)).toEqual([]);
    await signIn(page, "wrong-key");
    await page.getByText("Wrong key. Each try is recorded.").waitFor();
    expect(await findViolations(page)).toEqual([]);
    await context.close();
  });

  test.each([
    ["wide", wide],
    ["on a phone", phone],
  ])("the dashboard with rows open, its forms, menus and questions, %s", { timeout: patience }, async (_name, size) => {
    const { page, context } = await openDashboard(visit, "", { ...size, colorScheme });
    const workspace = `axe-${colorScheme}-${size === phone ? "phone" : "wide"}`;
    await addWorker(page, workspace);
    await page.getByRole("button", { name: `Label of ${workspace}`, exact: true }).click();
    await page.locator("#audit tbody button").first().click();
    await page.getByText("As a table").first().click();
    await page.locator(`#details-${workspace}`).waitFor();
    // What lies under the bars that stick to the top would count as too small to hit.
    await page.evaluate("window.scrollTo(0, 0)");
    expect(await findViolations(page)).toEqual([]);
    expect(await sidewaysScroll(page)).toBe(0);

    await page.getByRole("button", { name: `More for ${workspace}` }).click();
    await page.getByRole("menu").waitFor();
    expect(await findViolations(page)).toEqual([]);
    await page.keyboard.press("Escape");
    for (const [item, dialog] of [
      ["Edit", "dialog"],
      ["Replace credentials", "dialog"],
      ["Disable", "alertdialog"],
      ["Delete", "alertdialog"],
    ] as const) {
      await chooseFor(page, workspace, item);
      await page.getByRole(dialog).waitFor();
      expect([item, await findViolations(page, "dialog[open]")]).toEqual([item, []]);
      await page.keyboard.press("Escape");
      await page.getByRole(dialog).waitFor({ state: "detached" });
    }
    await page.getByRole("button", { name: "Add account", exact: true }).click();
    await page.getByRole("button", { name: "Add and check" }).click();
    await page.getByText("This is needed.").first().waitFor();
    expect(await findViolations(page, "dialog[open]")).toEqual([]);
    await context.close();
  });
});
