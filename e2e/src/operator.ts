// An operator's browser: signed in on a real server, with the rows and forms of the dashboard by their names.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { BrowserContextOptions, Locator, Page } from "playwright-core";
import { type OpenPage, type Visit, wide } from "./visitor.ts";

/** The key that the server made for itself. */
export async function readAdminKey(visit: Visit): Promise<string> {
  return (await readFile(join(visit.directory, "secrets/admin-key"), "utf8")).trim();
}

export async function signIn(page: Page, key: string): Promise<void> {
  await page.getByLabel("Admin key").fill(key);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** An operator's session beside any page: a function that sends a request with it and answers the parsed body. */
export async function signInBeside(visit: Visit): Promise<(method: string, path: string) => Promise<unknown>> {
  const cookie = await besideSession(visit);
  return async (method, path) => {
    const answer = await fetch(visit.url + path, { method, headers: { cookie } });
    return answer.json();
  };
}

/** Opens the dashboard with a session of its own. */
export async function openDashboard(
  visit: Visit,
  query = "",
  options: BrowserContextOptions = wide,
): Promise<OpenPage> {
  const [name = "", value = ""] = (await startSession(visit)).split("=");
  const cookie = { name, value, domain: "127.0.0.1", path: "/admin", expires: -1, sameSite: "Strict" as const };
  const storageState = { cookies: [{ ...cookie, httpOnly: true, secure: false }], origins: [] };
  const opened = await visit.open(`/admin/dashboard${query}`, { ...options, storageState });
  await opened.page.getByRole("navigation", { name: "Sections" }).waitFor();
  return opened;
}

const besideSessions = new WeakMap<Visit, Promise<string>>();

/** One session for all that happens beside the pages of a visit: log-ins are limited to 30 a minute. */
function besideSession(visit: Visit): Promise<string> {
  const cookie = besideSessions.get(visit) ?? startSession(visit);
  besideSessions.set(visit, cookie);
  return cookie;
}

/** The cookie of a new session, "name=value". */
async function startSession(visit: Visit): Promise<string> {
  const headers = { "x-admin-key": await readAdminKey(visit) };
  const answer = await fetch(`${visit.url}/admin/session`, { method: "POST", headers });
  return (answer.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
}

/** A request of an operator beside the page; answers the parsed body. */
export async function askAsOperator(page: Page, method: "get" | "post" | "delete", path: string): Promise<unknown> {
  const origin = new URL(page.url()).origin;
  const answer = await page.request[method](origin + path, { headers: { origin } });
  return (await answer.text()) === "" ? null : await answer.json();
}

/** The row of an account, with its second line and its details. */
export function accountRow(page: Page, workspace: string): Locator {
  return page.locator("#accounts tbody", { has: page.getByText(workspace, { exact: true }) });
}

/** Waits until an account is shown to stand so. */
export async function waitForStanding(page: Page, workspace: string, standing: string, timeout = 10_000) {
  await accountRow(page, workspace).locator(".state", { hasText: standing }).first().waitFor({ timeout });
}

export async function chooseFor(page: Page, workspace: string, item: string): Promise<void> {
  await page.getByRole("button", { name: `More for ${workspace}` }).click();
  await page.getByRole("menuitem", { name: item, exact: true }).click();
}

/** Fills the form of a new account of the kind http and sends it. */
export async function addHttpAccount(
  page: Page,
  account: { label: string; workspace: string; url: string; key: string },
): Promise<void> {
  await page.getByRole("button", { name: "Add account", exact: true }).first().click();
  const form = page.getByRole("dialog", { name: "Add account" });
  await form.getByText("HTTP", { exact: true }).click();
  await form.getByRole("textbox", { name: "Label" }).fill(account.label);
  await form.getByLabel("Workspace").fill(account.workspace);
  await form.getByLabel("Worker address").fill(account.url);
  await form.getByLabel("Worker key", { exact: true }).fill(account.key);
  await form.getByRole("button", { name: "Add and check" }).click();
  await form.waitFor({ state: "detached" });
}
