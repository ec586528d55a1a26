import { createHmac } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readConfig } from "../config.ts";
import { type Core, openCore } from "../testing/core.ts";
import { HeldDatabase } from "../testing/held-database.ts";
import { countWaiting, enqueueWebhook, outboxLimit } from "./outbox.ts";
import { retryPauses, startWebhookSender, type WebhookSender } from "./sender.ts";
import { signatureHeaders } from "./signature.ts";

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

interface Heard {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** The operator's side: remembers what it was sent and answers as it is told. */
class Receiver {
  readonly heard: Heard[] = [];
  answer = (response: ServerResponse, _nth: number): void => void response.writeHead(204).end();
  #server: Server | undefined;
  url = "";

  async open(port = 0): Promise<void> {
    const server = createServer((request, response) => {
      let body = "";
      request.setEncoding("utf8");
      request.on("data", (piece: string) => (body += piece));
      request.on("end", () => {
        this.heard.push({ path: request.url ?? "", headers: request.headers, body });
        this.answer(response, this.heard.length);
      });
    });
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks/safelight?room=7`;
  }

  async close(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => (this.#server === undefined ? resolve(null) : this.#server.close(resolve)));
  }
}

let receiver: Receiver;
let core: Core;
let sender: WebhookSender | undefined;

beforeEach(async () => {
  receiver = new Receiver();
  await receiver.open();
  core = await openCore({ environment: { WEBHOOK_URL: receiver.url, WEBHOOK_SECRET: secret } });
});
afterEach(async () => {
  await sender?.stop();
  sender = undefined;
  await receiver.close();
  await core.close();
});

const message = (target = "attic-gpu", type = "worker_account.failed") => ({
  type,
  target,
  data: { workspace: target },
});
const leave = (what = message()) => core.context.database.write((tx) => enqueueWebhook(core.context, tx, what));
const rows = () =>
  core.context.database.prepareRead("SELECT * FROM audit_events WHERE action = 'send_webhook' ORDER BY id").all();

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 60_000; !(await holds()); ) {
    if (performance.now() > end) throw new Error(`waited in vain; ${receiver.heard.length} heard`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe("a webhook", () => {
  test("arrives signed in the form of Standard Webhooks, once, with a row of the audit log", async () => {
    sender = startWebhookSender(core.context);
    await leave();
    sender.wake();
    await until(async () => (await rows()).length === 1);
    const [{ path, headers, body } = { path: "", headers: {}, body: "" }] = receiver.heard;
    expect(receiver.heard).toHaveLength(1);
    expect(path).toBe("/hooks/safelight?room=7");
    expect(headers["content-type"]).toBe("application/json");
    expect(JSON.parse(body)).toEqual({
      type: "worker_account.failed",
      timestamp: new Date(core.clock.now()).toISOString(),
      data: { workspace: "attic-gpu" },
    });
    // Written anew from the specification, not with the code that is tested.
    const key = Buffer.from(secret.slice(6), "base64");
    const signed = `${String(headers["webhook-id"])}.${String(headers["webhook-timestamp"])}.${body}`;
    expect(headers["webhook-signature"]).toBe(`v1,${createHmac("sha256", key).update(signed).digest("base64")}`);
    expect(headers["webhook-timestamp"]).toBe(String(Math.floor(core.clock.now() / 1000)));
    expect((await rows())[0]).toMatchObject({ target: "attic-gpu", outcome: "success", actor_type: "system" });
    expect(JSON.parse(String((await rows())[0]?.details))).toMatchObject({
      attempts: 1,
      reason: "204",
      message: headers["webhook-id"],
    });
    expect(await countWaiting(core.context)).toBe(0);
    expect(core.logged.join("") + JSON.stringify(await rows())).not.toContain(secret.slice(6));
  });

  test("one that is on its way is not sent again because the end of another could not be written down", async () => {
    const database = new HeldDatabase(core.context.database);
    let failed = 0;
    database.onWrite = () => {
      failed += 1;
      if (failed === 1) throw new Error("the database is out of reach");
    };
    await leave(message("attic-gpu"));
    await leave(message("cellar-gpu"));
    const ofCellar = () => receiver.heard.filter(({ body }) => body.includes("cellar-gpu"));
    let heardWhenAnswered = 0;
    receiver.answer = (response) => {
      if (!receiver.heard.at(-1)?.body.includes("cellar-gpu") || ofCellar().length > 1) {
        return void response.writeHead(204).end();
      }
      // Longer than the sender rests before it tries again.
      setTimeout(() => {
        heardWhenAnswered = ofCellar().length;
        response.writeHead(204).end();
      }, 300);
    };
    sender = startWebhookSender({ ...core.context, database });
    await until(async () => (await rows()).length === 2 && heardWhenAnswered > 0);
    expect(heardWhenAnswered).toBe(1);
    expect(ofCellar()).toHaveLength(1);
  });

  test("the example of the specification has the signature that stands there", () => {
    const headers = signatureHeaders(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", '{"test": 2432232314}', 1_614_265_330_000);
    expect(headers["webhook-signature"]).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
  });

  test("comes again with the same id and a new signature until it is taken", async () => {
    receiver.answer = (response, nth) => void response.writeHead(nth < 3 ? 500 : 200).end("ok");
    sender = startWebhookSender(core.context, { pauses: [1000, 1000, 1000] });
    await leave();
    for (let nth = 1; nth <= 3; nth += 1) {
      sender.wake();
      await until(async () => receiver.heard.length === nth && (nth === 3 || (await waitsAfter(nth))));
      core.clock.advance(2000);
    }
    await until(async () => (await rows()).length === 1);
    expect(new Set(receiver.heard.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    expect(new Set(receiver.heard.map(({ body }) => body)).size).toBe(1);
    expect(new Set(receiver.heard.map(({ headers }) => headers["webhook-signature"])).size).toBe(3);
    expect(await rows()).toMatchObject([{ outcome: "success" }]);
  });

  const waitsAfter = async (attempts: number) =>
    (await core.context.database.prepareRead("SELECT attempts FROM webhook_outbox ORDER BY sequence").get())
      ?.attempts === attempts;

  test("is given up after the last try, with a row that says so; 410 gives it up at once", async () => {
    receiver.answer = (response) => void response.writeHead(503).end();
    sender = startWebhookSender(core.context, { pauses: [100] });
    await leave();
    sender.wake();
    await until(() => waitsAfter(1));
    expect(await rows()).toEqual([]);
    core.clock.advance(1000);
    sender.wake();
    await until(async () => (await rows()).length === 1);
    receiver.answer = (response) => void response.writeHead(410).end();
    await leave();
    sender.wake();
    await until(async () => (await rows()).length === 2);
    expect((await rows()).map(({ outcome, details }) => [outcome, JSON.parse(String(details))])).toMatchObject([
      ["failure", { attempts: 2, reason: "503" }],
      ["failure", { attempts: 1, reason: "410" }],
    ]);
    expect(await countWaiting(core.context)).toBe(0);
  });

  test("FR-020: follows no redirect and reaches no address that is refused", async () => {
    const sink = new Receiver();
    await sink.open();
    receiver.answer = (response) => void response.writeHead(307, { location: sink.url }).end();
    sender = startWebhookSender(core.context, { pauses: [] });
    await leave();
    sender.wake();
    await until(async () => (await rows()).length === 1);
    expect(sink.heard).toEqual([]);
    expect(JSON.parse(String((await rows())[0]?.details))).toMatchObject({ reason: "redirect" });
    await sink.close();
    await sender.stop();
    await core.close();
    core = await openCore({ environment: { WEBHOOK_URL: "https://hooks.example/x", WEBHOOK_SECRET: secret } });
    const resolve = async () => [{ address: "169.254.169.254", family: 4 }];
    sender = startWebhookSender(core.context, { pauses: [], resolve });
    await leave();
    sender.wake();
    await until(async () => (await rows()).length === 1);
    expect(JSON.parse(String((await rows())[0]?.details))).toMatchObject({ reason: "address_refused" });
  });

  test("survives the death of the process, wherever it comes, and arrives at least once", async () => {
    await leave();
    receiver.answer = (response) => {
      // It has arrived and nobody will ever know: the process dies before it can write that down.
      core.die();
      response.writeHead(204).end();
    };
    sender = startWebhookSender(core.context);
    await until(() => Promise.resolve(receiver.heard.length === 1));
    core = await core.reopen();
    expect(await countWaiting(core.context)).toBe(1);
    receiver.answer = (response) => void response.writeHead(204).end();
    sender = startWebhookSender(core.context);
    await until(async () => (await rows()).length === 1);
    expect(receiver.heard.map(({ headers }) => headers["webhook-id"])[1]).toBe(
      receiver.heard[0]?.headers["webhook-id"],
    );
    expect(await countWaiting(core.context)).toBe(0);
  });

  test("about one thing arrives in order; one that does not arrive holds up no other thing", async () => {
    receiver.answer = (response) => {
      const { data } = JSON.parse(receiver.heard.at(-1)?.body ?? "") as { data: { workspace: string } };
      response.writeHead(data.workspace === "attic-gpu" ? 500 : 204).end();
    };
    await leave();
    await leave(message("attic-gpu", "worker_account.recovered"));
    await leave(message("cellar-gpu"));
    sender = startWebhookSender(core.context, { pauses: [60_000] });
    await until(async () => (await rows()).length === 1 && (await waitsAfter(1)));
    expect(await rows()).toMatchObject([{ target: "cellar-gpu", outcome: "success" }]);
    receiver.answer = (response) => void response.writeHead(204).end();
    core.clock.advance(80_000);
    sender.wake();
    await until(async () => (await rows()).length === 3);
    const types = (await rows()).map(({ details }) => (JSON.parse(String(details)) as { type: string }).type);
    expect(types.slice(1)).toEqual(["worker_account.failed", "worker_account.recovered"]);
  });

  test("a thousand wait at most; the oldest goes, with a row", async () => {
    await core.context.database.write(async (tx) => {
      for (let nth = 0; nth < outboxLimit + 3; nth += 1) await enqueueWebhook(core.context, tx, message(`gpu-${nth}`));
    });
    expect(await countWaiting(core.context)).toBe(outboxLimit);
    expect((await rows()).map(({ target }) => target)).toEqual(["gpu-0", "gpu-1", "gpu-2"]);
    expect((await rows())[0]).toMatchObject({ outcome: "failure" });
  });

  test("pauses grow, over hours", () => {
    expect([...retryPauses]).toEqual([...retryPauses].sort((one, other) => one - other));
    expect(retryPauses.reduce((sum, pause) => sum + pause, 0)).toBeGreaterThan(6 * 3_600_000);
  });
});

describe("settings", () => {
  const problems = (environment: Record<string, string>): string => {
    try {
      readConfig(environment);
      return "";
    } catch (error) {
      return (error as Error).message;
    }
  };

  test("without an address nothing is left and nothing is sent", async () => {
    await core.close();
    core = await openCore();
    await leave();
    expect(await countWaiting(core.context)).toBe(0);
    sender = startWebhookSender(core.context);
    sender.wake();
  });

  test.each([
    ["an address without a secret", { WEBHOOK_URL: "https://hooks.example/x" }, /^WEBHOOK_SECRET: must be set/],
    ["a secret without an address", { WEBHOOK_SECRET: secret }, /^WEBHOOK_URL: must be set/],
    ["plain http", { WEBHOOK_URL: "http://hooks.example/x", WEBHOOK_SECRET: secret }, /^WEBHOOK_URL: must be an https/],
    [
      "a user",
      { WEBHOOK_URL: "https://me:pw@hooks.example/", WEBHOOK_SECRET: secret },
      /^WEBHOOK_URL: .*without a user/,
    ],
    [
      "a short secret",
      { WEBHOOK_URL: "https://hooks.example/x", WEBHOOK_SECRET: "too short" },
      /^WEBHOOK_SECRET: .*24/,
    ],
    ["a short key", { WEBHOOK_URL: "https://hooks.example/x", WEBHOOK_SECRET: "whsec_AAAA" }, /^WEBHOOK_SECRET: .*24/],
  ])("%s is refused in one line", (_what, environment, line) => {
    const said = problems(environment as Record<string, string>);
    expect(said).toMatch(line);
    expect(said.split("\n")).toHaveLength(1);
    expect(said).not.toContain(secret);
  });
});
