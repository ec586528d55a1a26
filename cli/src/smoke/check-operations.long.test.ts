import { expect, it } from "vitest";
import { type DamageCase, openInstallation } from "../testing/damaged-installation.ts";
import { changeJson } from "../testing/damaging-proxy.ts";
import { operationsParts } from "./check-operations.ts";

const installation = openInstallation();

const cases: DamageCase[] = [
  [
    "queue",
    "paused by somebody",
    { at: "GET /admin/queue", answer: (a) => changeJson(a, (b) => (b.paused = true)) },
    /until an operator resumes it/,
  ],
  [
    "queue",
    "pausing stops nothing",
    {
      at: "POST /admin/queue/pause",
      ask: (q) => (q.url = "/admin/queue/resume"),
      answer: (a) =>
        changeJson(a, (b) => {
          Object.assign(b, { paused: true, paused_at: new Date().toISOString(), paused_by: "somebody" });
        }),
    },
    /was started while/,
  ],
  [
    "queue",
    "the front is not marked",
    {
      at: "POST /admin/tasks/",
      answer: (a) => changeJson(a, (b) => b.front !== undefined && (b.front = false)),
    },
    /the opposite/,
  ],
  [
    "queue",
    "the front is no place",
    { at: "GET /status", answer: (a) => changeJson(a, (b) => b.queue_position && (b.queue_position = 7)) },
    /has the place 7/,
  ],
  [
    "statistics",
    "nothing is counted",
    {
      at: "GET /admin/statistics",
      answer: (a) => changeJson(a, (b) => (b.buckets as { done: number }[])?.forEach((bucket) => (bucket.done = 0))),
    },
    /does not count/,
  ],
  [
    "statistics",
    "a gap",
    {
      at: "GET /admin/statistics",
      answer: (a) => changeJson(a, (b) => (b.buckets as unknown[])?.splice(3, 1)),
    },
    /a gap at/,
  ],
  [
    "storage",
    "nothing is stored",
    { at: "GET /admin/storage", answer: (a) => changeJson(a, (b) => (b.media_bytes = 0)) },
    /finds no media/,
  ],
  [
    "storage",
    "no room",
    { at: "GET /admin/storage", answer: (a) => changeJson(a, (b) => (b.accepting = false)) },
    /too little room/,
  ],
  [
    "storage",
    "the numbers do not add up",
    { at: "GET /admin/storage", answer: (a) => changeJson(a, (b) => (b.needed_bytes = Number(b.needed_bytes) + 1)) },
    /adds up wrong/,
  ],
  [
    "storage",
    "something will be removed",
    {
      at: "GET /admin/storage",
      answer: (a) => changeJson(a, (b) => (b.next_removal = { reason: "age", at: null, task_id: "a" })),
    },
    /nobody wants removed/,
  ],
  ["metrics", "open to all", { at: "GET /admin/metrics", answer: (a) => (a.status = 200) }, /200 instead of 401/],
  [
    "metrics",
    "nothing is counted",
    {
      at: "GET /admin/metrics",
      answer: (a) =>
        (a.body = Buffer.from(a.body.toString("utf8").replace(/^(safelight_tasks_total.*) \d+$/gm, "$1 0"))),
    },
    /does not count/,
  ],
  [
    "metrics",
    "a metric is missing",
    {
      at: "GET /admin/metrics",
      answer: (a) => (a.body = Buffer.from(a.body.toString("utf8").replaceAll("safelight_storage_bytes", "other"))),
    },
    /has no safelight_storage_bytes/,
  ],
];
installation.finds(cases);

it("has a damage for every part, and leaves the queue running", async () => {
  const names = operationsParts.map(({ name }) => name);
  expect(new Set(cases.map(([part]) => part))).toEqual(new Set(names));
  const results = (await installation.check(installation.server.url, names)).filter(({ part }) => names.includes(part));
  expect(results.map(({ part, outcome }) => `${part} ${outcome}`)).toEqual(names.map((name) => `${name} ok`));
});
