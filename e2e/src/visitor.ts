// A creator's browser on a real server: pages of one visit, with the faults each page had.
import type { Browser, BrowserContext, BrowserContextOptions, Locator, Page, Response } from "playwright-core";
import { launchBrowser } from "./browser.ts";
import { freePort } from "./free-port.ts";
import { type ServerProcess, startServerProcess, temporaryDirectory } from "./server-process.ts";

/** A run of the engine, with room for a busy machine, in milliseconds. */
export const patience = 240_000;

export const wide = { viewport: { width: 1440, height: 1000 } };
export const phone = { viewport: { width: 360, height: 780 }, isMobile: true, hasTouch: true };

export interface OpenPage {
  page: Page;
  context: BrowserContext;
  /** Faults of the page itself: exceptions, refused content, broken media. */
  faults: string[];
}

type VisitorState = Awaited<ReturnType<BrowserContext["storageState"]>>;

/** A server over a directory of its own and a browser for it. */
export class Visit {
  readonly browser: Browser;
  readonly directory: string;
  server: ServerProcess;
  #environment: Record<string, string>;
  #removeDirectory: () => Promise<void>;
  /** Cookie and memory of the first page: one session serves all, as sessions are limited per minute and address. */
  #visitor: VisitorState | undefined;
  /** The session alone, of a page that came before. */
  #session: VisitorState | undefined;

  static async begin(environment: Record<string, string> = {}): Promise<Visit> {
    const directory = await temporaryDirectory();
    // A server that is started again has to find its port free.
    const PORT = String(await freePort());
    const [server, browser] = await Promise.all([
      startServerProcess(directory.path, { ...environment, PORT }),
      launchBrowser(),
    ]);
    return new Visit(server, browser, directory, { ...environment, PORT });
  }

  private constructor(
    server: ServerProcess,
    browser: Browser,
    directory: { path: string; remove(): Promise<void> },
    environment: Record<string, string>,
  ) {
    this.server = server;
    this.browser = browser;
    this.directory = directory.path;
    this.#removeDirectory = () => directory.remove();
    this.#environment = environment;
  }

  get url(): string {
    return this.server.url;
  }

  /** Ends the server by the signal and starts another on the same data and the same port. */
  async restart(signal: "SIGTERM" | "SIGKILL"): Promise<void> {
    await this.server.stop(signal);
    this.server = await startServerProcess(this.directory, this.#environment);
  }

  /** Opens a page at the address, given as a path, without waiting for anything on it but its load. */
  async open(path: string, options: BrowserContextOptions = wide): Promise<OpenPage> {
    const known = this.#visitor ?? this.#session;
    // What a page brings of its own, an operator's cookie, stands beside the session.
    const own = typeof options.storageState === "object" ? options.storageState : { cookies: [], origins: [] };
    const storageState = { ...own, ...known, cookies: [...own.cookies, ...(known?.cookies ?? [])] };
    const context = await this.browser.newContext({ ...options, storageState });
    const page = await context.newPage();
    // Less than a test has, so that what was waited for in vain is named.
    page.setDefaultTimeout(patience / 2);
    const faults = recordFaults(page);
    if (known === undefined) this.#keepSession(page);
    await page.goto(new URL(path, this.url).href);
    return { page, context, faults };
  }

  /** Opens the studio and waits until it can be used. */
  async openStudio(options: BrowserContextOptions = wide): Promise<OpenPage> {
    const opened = await this.open("/", options);
    await opened.page.getByRole("textbox", { name: "Prompt" }).waitFor();
    this.#visitor ??= await opened.context.storageState();
    return opened;
  }

  /** Answers the question for the password, so that the next page comes with a session. */
  async enter(password: string): Promise<void> {
    const { page, context } = await this.open("/");
    await givePassword(page, password);
    await page.getByRole("textbox", { name: "Prompt" }).waitFor();
    this.#visitor = await context.storageState();
    await context.close();
  }

  /** The next page comes as a stranger: the session of the first one has been ended. */
  forgetVisitor(): void {
    this.#visitor = undefined;
    this.#session = undefined;
  }

  #keepSession(page: Page): void {
    page.on("response", (response) => {
      const isNew = response.request().method() === "POST" && response.url().endsWith("/auth/session") && response.ok();
      if (!isNew) return;
      const keep = async () => {
        const cookies = (await page.context().cookies()).filter(({ name }) => name === "gg_session");
        this.#session = { cookies, origins: [] };
      };
      // The page may be gone by then, and its session with it.
      keep().catch(() => undefined);
    });
  }

  async end(): Promise<void> {
    await this.browser.close();
    await this.server.stop("SIGTERM");
    await this.#removeDirectory();
  }
}

function recordFaults(page: Page): string[] {
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => {
    // A refused submission is meant to happen; the browser reports every 4xx answer as an error.
    if (message.type() === "error" && !message.text().includes("422"))
      faults.push(`${message.text()} ${message.location().url}`);
  });
  return faults;
}

/** Answers the question for the password. The page behind takes no text until the question has gone. */
export async function givePassword(page: Page, password: string): Promise<void> {
  const gate = page.getByRole("dialog");
  await gate.getByLabel("Access password").fill(password);
  await gate.getByRole("button", { name: /Come in|Continue/ }).click();
  await gate.waitFor({ state: "hidden" });
}

export async function chooseModel(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name: /^Model:/ }).click();
  await page.getByRole("option", { name }).click();
}

/** Fills the prompt and submits; answers the id of the task once that is accepted. */
export async function generate(page: Page, prompt: string): Promise<string> {
  const isAccepted = (answer: Response) => answer.url().endsWith("/generate") && answer.status() === 202;
  const accepted = page.waitForResponse(isAccepted);
  await page.getByRole("textbox", { name: "Prompt" }).fill(prompt);
  await page.getByRole("button", { name: /^Generate/ }).click();
  return ((await (await accepted).json()) as { task_id: string }).task_id;
}

/** The middle of the studio, where the picture stands. */
export function stage(page: Page): Locator {
  return page.getByRole("region", { name: "Picture", exact: true });
}
