// Workers that lie, hang, send garbage, the wrong type, too much or too little: each is contained. Its task is done by another worker
// with the one right result, and nothing of it is left on disk.
import { createHash } from "node:crypto";
import type { ServerResponse } from "node:http";
import { describe, expect, test } from "vitest";
import { createSystemClock } from "../context/clock.ts";
import { readTask } from "../tasks/read.ts";
import { type Core, ended, namesIn, openCore, submit, taskOf, until } from "../testing/core.ts";
import { addWorker, type RoutedCore, startRouting } from "../testing/routed-core.ts";
import { type ScriptedWorker, startScriptedWorker } from "../testing/scripted-worker.ts";
import { inTask, type Passed, standInFront, type WorkerAnswer, type WorkerFront } from "../testing/worker-front.ts";
import { updateAccount } from "../worker-accounts/change-account.ts";

interface Scene {
  readonly core: Core;
  readonly routed: RoutedCore;
  readonly bad: ScriptedWorker;
  readonly good: ScriptedWorker;
  readonly front: WorkerFront;
}

/** Each test has workers and a core of its own, so that those that wait may wait together. */
async function inScene(test: (scene: Scene) => Promise<void>): Promise<void> {
  const core = await openCore({ clock: createSystemClock() });
  const routed = await startRouting(core);
  const bad = await startScriptedWorker({ script: () => [{ do: "preview" }] });
  const good = await startScriptedWorker({ script: () => [{ do: "preview" }] });
  const front = await standInFront(bad.url);
  try {
    await addWorker(routed, "bad-gpu", { url: front.url, key: bad.key }, { image: 1, video: 1 });
    await test({ core, routed, bad, good, front });
  } finally {
    await routed.stop();
    await front.close();
    await core.close();
    await Promise.all([bad.close(), good.close()]);
  }
}

type Alter = (answer: WorkerAnswer, request: Passed) => void;
type TakeOver = (request: Passed, response: ServerResponse) => boolean;

const isStart = ({ method, path }: Passed) => method === "POST" && path === "/tasks";
const isStatus = ({ method, path }: Passed) => method === "GET" && /^\/tasks\/[0-9a-f-]+\?/.test(path);
const isResult = ({ path }: Passed) => path.includes("/result");
const on =
  (which: (request: Passed) => boolean, answer: (response: ServerResponse) => void): TakeOver =>
  (request, response) => {
    if (!which(request)) return false;
    answer(response);
    return true;
  };
const json = { "safelight-protocol": "1", "content-type": "application/json" };
const page = (response: ServerResponse) =>
  void response.writeHead(200, { "content-type": "text/html" }).end("<p>hello");
const nothing = () => undefined;
const endless = (response: ServerResponse) => {
  response.writeHead(200, json);
  const pump = (): void => {
    while (!response.destroyed && response.write("x".repeat(65_536)));
  };
  response.on("drain", pump);
  pump();
};
const redirect = (response: ServerResponse) => void response.writeHead(302, { location: "http://127.0.0.1:9/" }).end();
const onResult =
  (change: (answer: WorkerAnswer) => void): Alter =>
  (answer, request) => {
    if (isResult(request) && answer.status === 200) change(answer);
  };
const inResult = (change: (result: Record<string, unknown>) => void): Alter =>
  inTask(({ result }) => {
    if (result !== null) change(result as Record<string, unknown>);
  });
/** Another file than was drawn, announced as it is: only looking into it tells. */
function replaceFile(contentType: string, bytes: Buffer): Alter {
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const announced = inResult((result) =>
    Object.assign(result, { content_type: contentType, bytes: bytes.byteLength, sha256 }),
  );
  return (answer, request) => {
    announced(answer, request);
    if (!isResult(request) || answer.status !== 200) return;
    answer.body = bytes;
    Object.assign(answer.headers, {
      "content-type": contentType,
      "content-length": String(bytes.byteLength),
      "safelight-size": String(bytes.byteLength),
      "safelight-sha256": sha256,
    });
  };
}

type Fault = [string, { takeOver?: TakeOver; alter?: Alter }];

const faults: Fault[] = [
  ["answers a start with a page", { takeOver: on(isStart, page) }],
  ["answers a start without end", { takeOver: on(isStart, endless) }],
  ["answers a start with a redirect", { takeOver: on(isStart, redirect) }],
  ["speaks of another task", { alter: inTask((task) => (task.task_id = "0195a3c2-7f10-7c3e-8a52-2d6c0e4b9f11")) }],
  ["forgets its task", { alter: (a, r) => void (isStatus(r) && Object.assign(a, problem("task_not_found", 404))) }],
  ["sends a page as the result", { takeOver: on(isResult, page) }],
  ["redirects to the result", { takeOver: on(isResult, redirect) }],
  ["sends a damaged result", { alter: onResult((answer) => void answer.body.writeUInt8(0x20, 40)) }],
  ["cuts the result off", { takeOver: on(isResult, cutOff) }],
  ["sends more than it announced", { alter: onResult(longer) }],
  ["announces too much", { alter: inResult((result) => (result.bytes = 2 ** 40)) }],
  ["lies about the hash", { alter: inResult((result) => (result.sha256 = "0".repeat(64))) }],
  ["lies about the size of the picture", { alter: inResult((result) => (result.width = 640)) }],
  ["delivers text as a picture", { alter: replaceFile("image/png", Buffer.from("not a picture at all")) }],
  ["delivers a clip for a picture", { alter: replaceFile("video/mp4", Buffer.alloc(4096)) }],
];

/** These are noticed by their silence, which is waited for. */
const silences: Fault[] = [
  ["never answers a start", { takeOver: on(isStart, nothing) }],
  ["answers with garbage while it runs", { takeOver: on(isStatus, (r) => void r.writeHead(200, json).end("}{")) }],
  ["falls silent while it runs", { takeOver: on(isStatus, nothing) }],
  [
    "contradicts itself",
    { alter: inTask((task) => Object.assign(task, task.state === "succeeded" ? { result: null } : {})) },
  ],
];

function problem(code: string, status: number): Partial<WorkerAnswer> {
  const body = Buffer.from(
    JSON.stringify({
      type: "urn:x",
      title: "x",
      status,
      detail: "x",
      instance: "/",
      code,
      user_action: "x",
      correlation_id: "0",
    }),
  );
  const headers = {
    "safelight-protocol": "1",
    "content-type": "application/problem+json",
    "content-length": String(body.byteLength),
  };
  return { status, headers, body };
}

function cutOff(response: ServerResponse): void {
  response.writeHead(200, { "safelight-protocol": "1", "content-type": "image/png", "content-length": "5000" });
  response.write(Buffer.alloc(100), () => response.destroy());
}

function longer(answer: WorkerAnswer): void {
  answer.body = Buffer.concat([answer.body, answer.body]);
  answer.headers["content-length"] = String(answer.body.byteLength);
}

const expectContained =
  ({ takeOver, alter }: Fault[1]) =>
  async ({ core, routed, bad, good, front }: Scene) => {
    front.takeOver = takeOver ?? null;
    front.alter = alter ?? null;
    const id = await submit(core);
    // The other comes once the first has it, so that the first is the one that is asked.
    await until(core, async () => (await taskOf(core, id)).status !== "pending");
    await addWorker(routed, "good-gpu", good, { image: 1, video: 1 });
    const task = await ended(core, id);
    expect(task).toMatchObject({ status: "done", executor: "good-gpu" });
    expect(await namesIn(core.context.media.list("results/"))).toEqual([task.resultPath]);
    expect(core.logged.join("")).not.toContain(bad.key);
    expect(routed.registry.circuits.describe(await accountIdOf(core, "bad-gpu")).failures).toBeGreaterThan(0);
  };

describe("a worker that", () => {
  const title = "%s loses the task to another, and leaves nothing";
  test.each(faults)(title, (_what, fault) => inScene(expectContained(fault)));
  test.concurrent.each(silences)(title, (_what, fault) => inScene(expectContained(fault)));

  test("is slow is waited for: half of the silence it is allowed, and no attempt is lost", () =>
    inScene(async ({ core, front }) => {
      front.delay = 500;
      const task = await ended(core, await submit(core));
      expect(task).toMatchObject({ status: "done", executor: "bad-gpu", attempt: 1 });
    }));

  test.concurrent("answers at once, and always the same, is not asked without end", () =>
    inScene(async ({ core, routed, bad, front }) => {
      bad.machine.script = () => [{ do: "hang" }];
      front.takeOver = null;
      const id = await submit(core);
      await until(core, async () => (await taskOf(core, id)).runHandle !== null);
      front.alter = null;
      // It pays no heed to `wait`.
      const frozen = JSON.stringify(
        await (
          await fetch(`${bad.url}/tasks/${id}`, {
            headers: { authorization: `Bearer ${bad.key}`, "safelight-protocol": "1" },
          })
        ).json(),
      );
      front.takeOver = on(isStatus, (response) => void response.writeHead(200, json).end(frozen));
      await updateAccount(core.context, routed.registry, "bad-gpu", { label: "Still here" });
      await new Promise((resolve) => setTimeout(resolve, 2500));
      const before = front.passed.filter(isStatus).length;
      await new Promise((resolve) => setTimeout(resolve, 1000));
      expect(front.passed.filter(isStatus).length - before).toBeLessThan(40);
      expect((await readTask(core.context.database.prepareRead, id))?.status).toBe("processing");
    }));

  test("repeats its key in its words has them struck out", () =>
    inScene(async ({ core, bad }) => {
      bad.machine.script = () => [
        { do: "report", update: { stageDetail: `key ${bad.key}`, warnings: [{ code: "x", detail: bad.key }] } },
        { do: "fail", code: "engine_failed", detail: `refused by ${bad.key}` },
      ];
      const task = await ended(core, await submit(core));
      expect(task).toMatchObject({ status: "failed", errorMessage: "The worker gave no usable reason.", warnings: [] });
      expect(JSON.stringify(await core.context.database.prepareRead("SELECT * FROM events").all())).not.toContain(
        bad.key,
      );
    }));
});

async function accountIdOf(core: Core, workspace: string): Promise<string> {
  return String(
    (await core.context.database.prepareRead("SELECT id FROM worker_accounts WHERE workspace = ?").get(workspace))?.id,
  );
}
