// The conformance kit is judged itself: a good worker passes it whole, and each check fails on a worker that is damaged in
// just that way. A real worker process passes as well; all of it, with every model and mode, in the long run.
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { judgeWorker, type Verdict } from "@safelight/conformance";
import { type ScriptedWorker, startScriptedWorker } from "@safelight/server/testing/scripted-worker";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import {
  type Answered,
  type Damage,
  type DamagingWorker,
  inAnswer,
  inTask,
  standInFrontOf,
} from "./src/damaging-worker.ts";
import { startWorkerProcess } from "./src/worker-process.ts";

const long = process.env["SAFELIGHT_TEST_LONG"] === "1";
let worker: ScriptedWorker;
let front: DamagingWorker;

beforeAll(async () => {
  worker = await startScriptedWorker();
  front = await standInFrontOf(worker.url);
});

// A damaged cancel leaves its task running, which is no concern of the next test.
afterEach(async () => {
  front.damage = {};
  const headers = { authorization: `Bearer ${worker.key}`, "safelight-protocol": "1" };
  for (const { request } of worker.machine.running()) {
    await fetch(`${worker.url}/tasks/${request.taskId}/cancel`, { method: "POST", headers });
  }
});

afterAll(async () => {
  await front?.close();
  await worker?.close();
});

function complaints({ checks }: Verdict): string[] {
  return checks.filter(({ outcome }) => outcome === "failed").map(({ check, detail }) => `${check}: ${detail}`);
}

function problem(status: number, code: string): Answered {
  const body = Buffer.from(JSON.stringify({ code, status }));
  return { status, headers: { "safelight-protocol": "1", "content-type": "application/problem+json" }, body };
}

const task = /^(?:GET|POST) \/tasks/;
const health = /^GET \/health/;
const isResult = ({ path }: { path: string }) => path.includes("/result");
const onResult = (change: (answer: Answered) => void): Damage => ({
  answer: (answer, request) => (isResult(request) && answer.status < 300 ? change(answer) : undefined),
});
/** A worker need not tell the seed; one that drew with another than it was sent would not tell that one. */
const noSeed = inAnswer(task, (body) => delete body.seed);
const inResult = (change: (result: Record<string, unknown>) => void): Damage =>
  inAnswer(task, ({ result }) => {
    if (result !== null && result !== undefined) change(result as Record<string, unknown>);
  });
let counter = 0;

/** Each damage, the check that has to notice it, and what it says. */
const damages: readonly [string, RegExp, Damage, { stopSeconds?: number }?][] = [
  ["health: who it is", /instance/, inAnswer(health, (body) => (body.instance = `one-${(counter += 1)}`))],
  ["health: who it is", /uptime/, inAnswer(health, (body) => (body.uptime_s = 5))],
  ["health: who it is", /\/slots|body/, inAnswer(health, (body) => delete body.gpus)],
  [
    "health: models and modes",
    /said to make/,
    inAnswer(
      health,
      (body) =>
        (((body.models as { type: string }[])[0] ?? { type: "" }).type =
          "video" === (body.models as { type: string }[])[0]?.type ? "image" : "video"),
    ),
  ],
  [
    "health: models and modes",
    /answered 202 instead of 503/,
    inAnswer(health, (body) => {
      for (const model of body.models as {
        id: string;
        available: boolean;
        reason: unknown;
        modes: { available: boolean; reason: unknown }[];
      }[]) {
        if (model.id !== "pony") continue;
        model.available = false;
        model.reason = { code: "x", detail: "x" };
        for (const mode of model.modes) [mode.available, mode.reason] = [false, { code: "x", detail: "x" }];
      }
    }),
  ],
  [
    "health: busy slots and warm models",
    /one image task runs/,
    inAnswer(health, (body) => (body.busy = { image: 0, video: 0, total: 0 })),
  ],
  [
    "health: busy slots and warm models",
    /not warm/,
    inAnswer(health, (body) => {
      for (const model of body.models as { warm: boolean }[]) model.warm = false;
    }),
  ],
  [
    "the key",
    /instead of 401/,
    { request: (request) => void (request.headers.authorization = `Bearer ${worker.key}`) },
  ],
  [
    "the key",
    /instead of 401/,
    {
      request: ({ headers, path }) =>
        void (headers.authorization = path.includes("token=") ? `Bearer ${worker.key}` : (headers.authorization ?? "")),
    },
  ],
  [
    "the protocol's version",
    /instead of 400/,
    { request: ({ headers }) => void (headers["safelight-protocol"] = "1") },
  ],
  [
    "the protocol's version",
    /Safelight-Protocol missing/,
    { answer: ({ status, headers }) => void (status >= 400 && delete headers["safelight-protocol"]) },
  ],
  [
    "unknown addresses and methods",
    /content type/,
    { answer: (answer) => void (answer.status === 404 && (answer.headers["content-type"] = "text/html")) },
  ],
  ["unknown addresses and methods", /Allow/, { answer: ({ headers }) => void delete headers.allow }],
  [
    "media: kept under their hash",
    /instead of 200/,
    { answer: (answer) => void (answer.status === 200 && (answer.status = 201)) },
  ],
  [
    "media: another hash is refused",
    /instead of 422/,
    {
      answer: (answer, { path }) => {
        if (answer.status === 422 && path.startsWith("/media"))
          Object.assign(answer, { status: 201, headers: { ...answer.headers, "content-type": "application/json" } });
      },
    },
  ],
  [
    "media: size and type",
    /instead of 413/,
    { answer: (answer) => void (answer.status === 413 && (answer.status = 500)) },
  ],
  [
    "media: size and type",
    /instead of 415/,
    { request: ({ headers, method }) => void (method === "PUT" && (headers["content-type"] = "image/png")) },
  ],
  [
    "media: a task that names what is not here",
    /every picture/,
    inAnswer(/POST \/tasks/, (body) => body.code === "media_missing" && delete body.errors),
  ],
  [
    "refusals: bodies that are no task",
    /instead of malformed_json/,
    inAnswer(/POST \/tasks/, (body) => body.code === "malformed_json" && (body.code = "validation_failed")),
  ],
  [
    "refusals: bodies that are no task",
    /instead of 415/,
    { request: ({ headers, body }) => void (body.byteLength > 40 && (headers["content-type"] = "application/json")) },
  ],
  ["refusals: requests that do not fit", /was accepted/, inTask((body) => delete body.parameters?.["colour"])],
  [
    "refusals: requests that do not fit",
    /the inside of the worker/,
    inAnswer(
      /POST \/tasks/,
      (body) => body.code === "validation_failed" && (body.detail = `open ${"/home"}/me/worker.py`),
    ),
  ],
  [
    "tasks: unknown ones",
    /instead of 404/,
    {
      request: ({ method }) =>
        method === "DELETE"
          ? { status: 204, headers: { "safelight-protocol": "1" }, body: Buffer.alloc(0) }
          : undefined,
    },
  ],
  [
    "tasks: the same attempt sent again",
    /instead of 200/,
    {
      answer: (answer, { method, path }) =>
        void (method === "POST" && path === "/tasks" && answer.status === 200 && (answer.status = 202)),
    },
  ],
  [
    "tasks: the same attempt racing",
    /answered 202/,
    {
      answer: (answer, { method, path }) =>
        void (method === "POST" && path === "/tasks" && answer.status === 200 && (answer.status = 202)),
    },
  ],
  [
    "tasks: the same attempt racing",
    /several runs/,
    inAnswer(/POST \/tasks$/, (body) => (body.accepted_at = new Date(Date.now() + (counter += 1)).toISOString())),
  ],
  [
    "tasks: a later attempt takes the place of an earlier",
    /instead of 410|instead of attempt/,
    {
      request: ({ method, path }) =>
        method === "GET" && path.includes("/result?attempt=1") ? problem(404, "task_not_found") : undefined,
    },
  ],
  [
    "tasks: deletion",
    /instead of 404/,
    {
      request: ({ method, path }) =>
        method === "DELETE" && path.includes("attempt=1")
          ? { status: 204, headers: { "safelight-protocol": "1" }, body: Buffer.alloc(0) }
          : undefined,
    },
  ],
  [
    "tasks: waiting for a change",
    /not heeded/,
    { request: (request) => void (request.path = request.path.replace(/wait=[\d.]+/, "wait=0")) },
  ],
  [
    "control: cancel (image)",
    /a cancelled task is running|still changes|instead of 409/,
    {
      request: (request) =>
        void Object.assign(
          request,
          request.path.includes("/cancel") ? { method: "GET", path: request.path.replace("/cancel", "") } : {},
        ),
    },
  ],
  [
    "control: cancel (image)",
    /to stop/,
    {
      answer: async (_answer, { path }) => {
        if (path.includes("/cancel")) await sleep(400);
      },
    },
    { stopSeconds: 0.3 },
  ],
  [
    "control: cancel (video)",
    /failed with/,
    inAnswer(/POST .*cancel/, (body) => (body.error = { code: "engine_failed", detail: "x", retryable: true })),
  ],
  [
    "control: deadline (image)",
    /only after/,
    inTask((body) => body.deadline_s === 0.5 && (body.deadline_s = 1.2)),
    { stopSeconds: 0.3 },
  ],
  [
    "control: deadline (video)",
    /only after/,
    inTask((body) => body.deadline_s === 0.5 && (body.deadline_s = 1.2)),
    { stopSeconds: 0.3 },
  ],
  [
    "control: every slot taken (image)",
    /instead of 409/,
    { answer: (answer, { method }) => void (method === "POST" && answer.status === 409 && (answer.status = 503)) },
  ],
  [
    "control: every slot taken (video)",
    /health says 7/,
    inAnswer(
      health,
      (body) =>
        (body.busy as { video: number; total: number }).total > 0 && ((body.busy as { video: number }).video = 7),
    ),
  ],
  [
    "run: flux txt2img",
    /progress did not move/,
    inAnswer(task, (body) => body.state === "running" && (body.progress = 0)),
  ],
  [
    "run: flux txt2img",
    /progress fell/,
    inAnswer(task, (body) => body.state === "running" && (body.progress = 99 - Number(body.progress))),
  ],
  ["run: flux txt2img", /its version did not/, inAnswer(task, (body) => (body.version = 3))],
  [
    "run: flux txt2img",
    /progress is 100 before/,
    inAnswer(task, (body) => body.state === "running" && (body.progress = 100)),
  ],
  [
    "run: flux txt2img",
    /cannot be decoded/,
    { answer: (answer, { path }) => void (path.includes("/preview") && (answer.body = answer.body.subarray(0, 20))) },
  ],
  [
    "run: flux txt2img",
    /was announced and/,
    {
      answer: ({ headers }, { path }) =>
        void (path.includes("/preview") && (headers["safelight-preview-version"] = "0")),
    },
  ],
  ["run: flux txt2img", /no preview/, inAnswer(task, (body) => (body.preview_version = 0))],
  ["run: flux txt2img", /hash that was announced/, onResult(({ body }) => (body[40] = (body[40] ?? 0) ^ 1))],
  ["run: flux txt2img", /bytes, \d+ were announced/, onResult((answer) => (answer.body = answer.body.subarray(0, -3)))],
  ["run: flux txt2img", /Safelight-Sha256/, onResult(({ headers }) => (headers["safelight-sha256"] = "0".repeat(64)))],
  ["run: flux txt2img", /content type/, onResult(({ headers }) => (headers["content-type"] = "text/html"))],
  ["run: flux txt2img", /instead of 206/, { request: ({ headers }) => void delete headers.range }],
  [
    "run: flux txt2img",
    /instead of 416/,
    { answer: (answer) => void (answer.status === 416 && (answer.status = 400)) },
  ],
  [
    "run: flux txt2img",
    /width of the file|width is said/,
    inTask(({ parameters }) => parameters !== undefined && (parameters.width = 512)),
  ],
  ["run: flux txt2img", /width is said/, inResult((result) => (result.width = 999))],
  [
    "run: flux txt2img",
    /asked for, image\/webp was made/,
    inResult((result) => (result.content_type = "image/webp")) && {
      answer: (answer, request) => {
        if (isResult(request)) answer.headers["content-type"] = "image/webp";
        else return inResult((result) => (result.content_type = "image/webp")).answer?.(answer, request);
      },
    },
  ],
  [
    "run: flux txt2img",
    /same request and seed/,
    { ...inTask((body) => body.attempt === 3 && (body.seed = 5)), ...noSeed },
  ],
  ["run: flux txt2img", /another seed/, { ...inTask((body) => (body.seed = 5)), ...noSeed }],
  ["run: flux txt2img", /says seed 5/, inAnswer(task, (body) => (body.seed = 5))],
  ["run: anisora t2v", /fps is said/, inResult((result) => (result.fps = 24))],
  ["run: anisora t2v", /frames is said/, inResult((result) => (result.frames = 53))],
  [
    "run: anisora t2v",
    /width of the file is 512/,
    {
      ...inTask(({ parameters }) => parameters !== undefined && (parameters.width = 512)),
      ...inResult((result) => (result.width = 528)),
    },
  ],
  [
    "run: anisora t2v",
    /cannot be read|hash/,
    onResult((answer) => (answer.body = Buffer.alloc(answer.body.byteLength))),
  ],
  [
    "run: anisora i2v",
    /failed with/,
    inAnswer(task, (body) => {
      if (body.state === "succeeded")
        Object.assign(body, {
          state: "failed",
          result: null,
          progress: 99,
          error: { code: "engine_failed", detail: "x", retryable: false },
        });
    }),
  ],
];

describe("the conformance kit", () => {
  test("a good worker passes it whole", async () => {
    const verdict = await judgeWorker({ url: worker.url, key: worker.key });
    expect(complaints(verdict)).toEqual([]);
    expect(verdict).toMatchObject({ verdict: "conforms", not_judged: ["restart (no --restart-command)"] });
    expect(verdict.judged).toHaveLength(11);
    const noticed = new Set(damages.map(([check]) => check));
    const runs = (name: string) => name.startsWith("run: ");
    const never = verdict.checks.map(({ check }) => check).filter((check) => !noticed.has(check) && !runs(check));
    expect(never, "checks that no damage shows to be able to fail").toEqual([]);
  });

  test.each(damages)("%s: %s", async (only, complaint, damage, options = {}) => {
    front.damage = damage;
    const verdict = await judgeWorker({ url: front.url, key: worker.key, only: [only], runSeconds: 20, ...options });
    front.damage = {};
    expect(verdict.verdict).toBe("fails");
    expect(complaints(verdict).join("\n")).toMatch(complaint);
    expect(complaints(verdict).join("\n")).not.toContain("the check itself broke");
  });

  test("never passes by skipping: nothing that answers, no such check, a worker that offers nothing", async () => {
    const gone = await judgeWorker({ url: "http://127.0.0.1:9", key: "x" });
    expect(gone).toMatchObject({ verdict: "fails", checks: [{ outcome: "failed" }] });
    const typo = await judgeWorker({ url: worker.url, key: worker.key, only: ["helth"] });
    expect(typo.verdict).toBe("fails");
    front.damage = inAnswer(health, (body) => (body.models = []));
    const idle = await judgeWorker({ url: front.url, key: worker.key, only: ["health: models and modes", "the key"] });
    front.damage = {};
    expect(complaints(idle)).toHaveLength(2);
  });

  test("a part that was left out makes the verdict partial", async () => {
    const verdict = await judgeWorker({ url: worker.url, key: worker.key, only: ["the key"] });
    expect(verdict.verdict).toBe("partial");
    expect(verdict.not_judged.length).toBeGreaterThan(20);
  });

  test("restart: a worker that forgets its results is noticed, one that keeps them passes", async () => {
    let forgets = false;
    const trigger = createServer((_request, response) => {
      worker.restart().then(
        () => {
          if (forgets)
            front.damage = {
              request: ({ path }) => (path.startsWith("/tasks/") ? problem(404, "task_not_found") : undefined),
            };
          response.end();
        },
        () => response.destroy(),
      );
    });
    await new Promise<void>((resolve) => trigger.listen(0, "127.0.0.1", resolve));
    const address = `http://127.0.0.1:${(trigger.address() as AddressInfo).port}`;
    const restartCommand = `"${process.execPath}" -e "fetch('${address}')"`;
    const only = ["restart: finished results are kept, running tasks are unknown"];
    const good = await judgeWorker({ url: front.url, key: worker.key, restartCommand, only });
    expect(complaints(good)).toEqual([]);
    forgets = true;
    const bad = await judgeWorker({ url: front.url, key: worker.key, restartCommand, only });
    front.damage = {};
    trigger.close();
    expect(bad.verdict).toBe("fails");
  });
});

describe("safelight worker, a process of its own", () => {
  test(
    long
      ? "passes the kit whole, kill -9 and restart included"
      : "passes what the kit says of one mode, and of kill -9",
    async () => {
      const folder = await mkdtemp(join(tmpdir(), "safelight-worker-"));
      const real = await startWorkerProcess(folder);
      try {
        const restart = "restart: finished results are kept, running tasks are unknown";
        const only = ["health: who it is", "the key", "run: flux txt2img", restart];
        const restartCommand = await real.restartCommand();
        const options = { url: real.url, key: real.key, restartCommand, ...(long ? {} : { only }) };
        const verdict = await judgeWorker(options);
        expect(complaints(verdict)).toEqual([]);
        expect(verdict.verdict).toBe(long ? "conforms" : "partial");
        if (long) expect(verdict.not_judged).toEqual([]);
      } finally {
        await real.stop();
        await rm(folder, { recursive: true, force: true, maxRetries: 5 });
      }
    },
  );
});
