// Safelight behind the very nginx and Caddy files that operators take (deploy/): the page in a browser, events, ranges, large uploads, and
// whose address counts. Needs the Debian packages nginx and caddy; without them it fails.
import { request } from "node:https";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchBrowser } from "./src/browser.ts";
import { type ProxyName, type ReverseProxy, startReverseProxy } from "./src/reverse-proxy.ts";
import { type ServerProcess, startServerProcess, temporaryDirectory } from "./src/server-process.ts";

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: Buffer;
}

interface Question {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: Uint8Array;
  /** Address of the loopback network that the request comes from. */
  readonly from?: string;
  /** Ends the request once it has read this; events never end by themselves. */
  readonly until?: (text: string) => boolean;
}

describe.each<ProxyName>(["nginx", "caddy"])("behind %s", (name) => {
  let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
  let server: ServerProcess;
  let proxy: ReverseProxy;

  beforeAll(async () => {
    directory = await temporaryDirectory();
    const data = join(directory.path, "data");
    server = await startServerProcess(data, { TRUSTED_PROXIES: "127.0.0.1", LOG_LEVEL: "info" });
    proxy = await startReverseProxy(name, join(directory.path, "proxy"), Number(new URL(server.url).port));
  });
  afterAll(async () => {
    await proxy?.stop();
    await server?.stop("SIGTERM");
    await directory?.remove();
  });

  const ask = (path: string, question: Question = {}): Promise<Answer> =>
    askThrough(proxy, path, { ...question, headers: { "x-api-key": server.apiKey, ...question.headers } });
  const json = (answer: Answer) => JSON.parse(answer.body.toString()) as Record<string, unknown>;

  async function submit(body: object): Promise<string> {
    const headers = { "content-type": "application/json" };
    const answer = await ask("/generate", { method: "POST", headers, body: Buffer.from(JSON.stringify(body)) });
    expect([answer.status, answer.body.toString()]).toEqual([202, expect.any(String)]);
    return String(json(answer)["task_id"]);
  }
  async function ended(id: string): Promise<Record<string, unknown>> {
    for (;;) {
      const status = json(await ask(`/status/${id}?wait=20`));
      if (status["status"] !== "pending" && status["status"] !== "processing") return status;
    }
  }

  test("the page loads over https, makes a picture and breaks no rule of its policy", async () => {
    const browser = await launchBrowser();
    try {
      const context = await browser.newContext({ ignoreHTTPSErrors: true });
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on("console", (message) => {
        if (message.type() === "error") complaints.push(message.text());
      });
      page.on("pageerror", (error) => complaints.push(error.message));
      page.on("request", (asked) => {
        if (!/^(?:https:\/\/localhost:|data:|blob:https:)/.test(asked.url())) complaints.push(`asks ${asked.url()}`);
      });
      const plain = await fetch(`${proxy.plainUrl}/gallery`, { redirect: "manual" });
      expect([plain.status, plain.headers.get("location")]).toEqual([
        expect.toSatisfy((status: number) => status === 301 || status === 308),
        expect.stringMatching(/^https:\/\/localhost(?::\d+)?\/gallery$/),
      ]);
      const answer = await page.goto(`${proxy.url}/`);
      expect(answer?.headers()["strict-transport-security"]).toMatch(/^max-age=\d{7,}/);
      await page
        .getByRole("textbox", { name: /prompt/i })
        .first()
        .fill("a red boat at sea");
      await page
        .getByRole("button", { name: /^(?:generate|create|make)/i })
        .first()
        .click();
      await page
        .locator("main img[src*='/results/'], main img[src*='/preview/']")
        .first()
        .waitFor({ timeout: 120_000 });
      const cookies = await context.cookies();
      expect(cookies.find((cookie) => cookie.name === "gg_session")).toMatchObject({ secure: true, httpOnly: true });
      // The browser lets the page pass with a certificate that nobody signed, but not its service worker.
      expect(complaints.filter((text) => !/SSL certificate|ServiceWorker/.test(text))).toEqual([]);
    } finally {
      await browser.close();
    }
  });

  test("events arrive one by one while the task runs, and a broken stream goes on where it was", async () => {
    const id = await submit({ model: "pony", prompt: "a red boat", width: 1280, height: 1280, steps: 60 });
    const first = await ask(`/events/${id}`, { until: (text) => (text.match(/^id:/gm) ?? []).length >= 2 });
    expect([first.status, first.headers["content-type"]]).toEqual([200, expect.stringContaining("text/event-stream")]);
    expect(json(await ask(`/status/${id}`))["status"], "the stream was read while the task ran").not.toBe("done");
    const last = [...first.body.toString().matchAll(/^id: ?(.+)$/gm)].at(-1)?.[1] ?? "";
    const rest = await ask(`/events/${id}`, {
      headers: { "last-event-id": last },
      until: (text) => /"done"/.test(text),
    });
    const seen = [...rest.body.toString().matchAll(/^id: ?(.+)$/gm)].map((match) => match[1]);
    expect(seen).not.toContain(last);
    expect(rest.body.toString()).toContain('"done"');
    await ended(id);
  });

  test("a film is given in parts", async () => {
    const id = await submit({
      model: "phr00t",
      mode: "t2v",
      prompt: "a red boat",
      width: 512,
      height: 512,
      num_frames: 49,
    });
    expect((await ended(id))["status"]).toBe("done");
    const whole = await ask(`/results/${id}`);
    expect([whole.status, whole.headers["content-type"]]).toEqual([200, "video/mp4"]);
    const part = await ask(`/results/${id}`, { headers: { range: "bytes=100-299" } });
    expect([part.status, part.headers["content-range"]]).toEqual([206, `bytes 100-299/${whole.body.byteLength}`]);
    expect(part.body.equals(whole.body.subarray(100, 300))).toBe(true);
    const beyond = await ask(`/results/${id}`, { headers: { range: `bytes=${whole.body.byteLength}-` } });
    expect([beyond.status, json(beyond)["code"]]).toEqual([416, "range_not_satisfiable"]);
    const again = await ask(`/results/${id}`, { headers: { "if-none-match": String(whole.headers["etag"]) } });
    expect(again.status).toBe(304);
  });

  test("the largest picture that is allowed is taken, one that is larger is refused by Safelight, in its form", async () => {
    const largest = 20 * 1024 * 1024;
    const png = await sharp({ create: { width: 64, height: 64, channels: 3, background: "#336699" } })
      .png()
      .toBuffer();
    const sizes: [number, number, string?][] = [
      [20_000_000, 201],
      [largest + 100_000, 413, "payload_too_large"],
    ];
    for (const [bytes, status, code] of sizes) {
      const { body, type } = formWith(padded(png, bytes));
      const answer = await ask("/uploads", { method: "POST", headers: { "content-type": type }, body });
      expect([answer.status, json(answer)["code"]]).toEqual([status, code]);
    }
    const text = Buffer.from(JSON.stringify({ model: "pony", prompt: "x".repeat(64 * 1024 * 1024) }));
    const refused = await ask("/generate", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: text,
    });
    expect([refused.status, json(refused)["code"]]).toEqual([413, "payload_too_large"]);
  });

  test("FR-018: limits count the caller's own address, and not the one that he writes there", async () => {
    const session = (from: string, headers: Record<string, string> = {}) =>
      askThrough(proxy, "/auth/session", { method: "POST", from, headers }).then(({ status }) => status);
    const statuses: number[] = [];
    for (let turn = 0; turn < 11; turn += 1) statuses.push(await session("127.0.0.2"));
    expect(statuses).toEqual([...Array<number>(10).fill(201), 429]);
    expect(await session("127.0.0.3")).toBe(201);
    const spoofed: number[] = [];
    for (let turn = 0; turn < 11; turn += 1) {
      const address = `203.0.113.${turn}`;
      spoofed.push(
        await session("127.0.0.4", { "x-forwarded-for": address, "x-real-ip": address, forwarded: `for=${address}` }),
      );
    }
    expect(spoofed.at(-1)).toBe(429);
    expect(server.output()).not.toContain("TRUSTED_PROXIES");
  });

  test("FR-001: a key behind the question mark is in no log, and a host that is not ours is not answered", async () => {
    const answer = await askThrough(proxy, `/tasks?api_key=${server.apiKey}`);
    expect(answer.status).toBe(200);
    // Caddy answers a name that it does not know with an empty 200; nginx passes it on, and Safelight refuses.
    const other = await ask("/tasks", { headers: { host: "other.example" } });
    expect(other.body.toString()).not.toContain("items");
    expect(answer.body.toString()).toContain("items");
    await expect.poll(() => proxy.accessLog()).toContain("/tasks");
    expect(await proxy.accessLog()).not.toContain(server.apiKey);
    expect(server.output()).not.toContain(server.apiKey);
  });

  test("FR-001: a key is in nothing that the proxy writes, also over plain http and while Safelight does not answer", async () => {
    const query = `api_key=${server.apiKey}&page=1`;
    const plain = await fetch(`${proxy.plainUrl}/tasks?${query}`, { redirect: "manual" });
    expect([plain.status, plain.headers.get("location")]).toEqual([403, null]);
    const { port } = new URL(server.url);
    await server.stop("SIGTERM");
    const before = (await proxy.written()).length;
    expect((await ask(`/gallery?${query}`)).status).toBe(502);
    server = await startServerProcess(join(directory.path, "data"), { PORT: port, TRUSTED_PROXIES: "127.0.0.1" });
    await expect.poll(async () => (await proxy.written()).length).toBeGreaterThan(before);
    await expect.poll(() => proxy.written()).toContain("/gallery");
    expect(await proxy.written()).not.toContain(server.apiKey);
  });

  test("a proxy that is not declared is warned about", async () => {
    const { port } = new URL(server.url);
    await server.stop("SIGTERM");
    server = await startServerProcess(join(directory.path, "data"), { PORT: port });
    await expect.poll(async () => (await ask("/health")).status).toBe(200);
    await askThrough(proxy, "/auth/session", { method: "POST" });
    await expect.poll(() => server.output()).toContain("TRUSTED_PROXIES");
  });
});

function askThrough(proxy: ReverseProxy, path: string, question: Question = {}): Promise<Answer> {
  const { body, from, headers, method = "GET", until } = question;
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { "content-length": String(body.byteLength) };
    const { port } = new URL(proxy.url);
    const options = {
      host: "127.0.0.1",
      servername: "localhost",
      port,
      path,
      method,
      ca: proxy.certificate,
      agent: false,
    } as const;
    const asked = request({
      ...options,
      headers: { host: `localhost:${port}`, ...headers, ...length },
      ...(from === undefined ? {} : { localAddress: from }),
    });
    let answered = false;
    // A refusal may come, and the connection go, before all of a large body has been sent.
    asked.on("error", (error) => (answered ? undefined : reject(error)));
    asked.on("response", (answer) => {
      answered = true;
      const pieces: Buffer[] = [];
      const done = () =>
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(pieces) });
      answer.on("data", (piece: Buffer) => {
        pieces.push(piece);
        if (until?.(Buffer.concat(pieces).toString()) !== true) return;
        done();
        asked.destroy();
      });
      answer.on("end", done);
      answer.on("error", () => undefined);
    });
    asked.end(body);
  });
}

/** A PNG of this many bytes: what follows its end is passed over by every reader. */
function padded(png: Buffer, bytes: number): Buffer {
  return Buffer.concat([png, Buffer.alloc(Math.max(0, bytes - png.byteLength))]);
}

function formWith(file: Uint8Array): { body: Buffer; type: string } {
  const boundary = "safelight-boundary-0195a3c2";
  const head = `--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="a.png"\r\ncontent-type: image/png\r\n\r\n`;
  return {
    body: Buffer.concat([Buffer.from(head), file, Buffer.from(`\r\n--${boundary}--\r\n`)]),
    type: `multipart/form-data; boundary=${boundary}`,
  };
}
