import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { actAs, type Context } from "../context/context.ts";
import { cancelTask } from "../tasks/cancel.ts";
import { describeTask } from "../tasks/describe.ts";
import { submitTask } from "../tasks/submit.ts";
import { allTurns, tasksAhead, turnOf } from "../tasks/turns.ts";
import { type Core, openCore, requestFor, taskOf, videoRequest } from "../testing/core.ts";
import { onPostgres } from "../testing/test-database.ts";
import { claimNext } from "./claim.ts";
import type { Lane } from "./lanes.ts";
import { describeQueue, pauseQueue, resumeQueue, setFront } from "./pause.ts";

let core: Core;
beforeEach(async () => {
  core = await openCore();
});
afterEach(() => core.close());

const able = [
  { type: "image" as const, model: "flux", mode: "txt2img" },
  { type: "video" as const, model: "anisora", mode: "t2v" },
];
const lane = (slots: Lane["slots"]): Lane => ({
  executor: "one",
  engine: "scripted",
  slots,
  able,
  open: true,
  lastUsedAt: 0,
});
const roomy = lane({ image: 100_000, video: 100_000, total: 100_000 });

const as = (name: string): Context =>
  actAs(core.context, { actor: { type: "client", id: name }, source: "127.0.0.1", correlationId: "x" });
const operator = (): Context =>
  actAs(core.context, { actor: { type: "admin", id: "admin-session:1" }, source: "127.0.0.1", correlationId: "x" });

async function submitAs(name: string, request = requestFor()): Promise<string> {
  return (await submitTask(as(name), { request, idempotency: null, queueLimit: 10_000 })).answer.task_id;
}

const claim = async (from = roomy) => (await claimNext(core.context, [from]))?.id ?? null;
const position = async (id: string) =>
  (await turnOf(core.context.database.prepareRead, await taskOf(core, id))).position;

/** What the queue should be, written down as plainly as can be. */
class Model {
  rotation: string[] = [];
  readonly own = new Map<string, string[]>();
  front: string[] = [];
  readonly owners = new Map<string, string>();
  readonly arrivals: string[] = [];

  submit(name: string, id: string): void {
    this.owners.set(id, name);
    this.arrivals.push(id);
    this.#join(id);
  }

  #join(id: string): void {
    const name = this.owners.get(id) ?? "";
    const queue = [...(this.own.get(name) ?? []), id].sort(this.#byArrival);
    this.own.set(name, queue);
    if (!this.rotation.includes(name)) this.rotation.push(name);
  }

  leave(id: string): void {
    const name = this.owners.get(id) ?? "";
    this.front = this.front.filter((one) => one !== id);
    const rest = (this.own.get(name) ?? []).filter((one) => one !== id);
    this.own.set(name, rest);
    if (rest.length === 0) this.rotation = this.rotation.filter((one) => one !== name);
  }

  setFront(id: string, front: boolean): void {
    if (this.front.includes(id) === front) return;
    this.leave(id);
    if (front) this.front = [...this.front, id].sort(this.#byArrival);
    else this.#join(id);
  }

  claim(): string | null {
    const [name] = this.rotation;
    const id = this.front[0] ?? (name === undefined ? undefined : this.own.get(name)?.[0]);
    if (id === undefined) return null;
    const isFront = this.front.includes(id);
    this.leave(id);
    if (!isFront && name !== undefined && this.rotation.includes(name)) {
      this.rotation = [...this.rotation.filter((one) => one !== name), name];
    }
    return id;
  }

  /** All that wait, in the order in which they will be claimed. */
  order(): string[] {
    const copy = new Model();
    copy.rotation = [...this.rotation];
    copy.front = [...this.front];
    for (const [name, ids] of this.own) copy.own.set(name, [...ids]);
    for (const [id, name] of this.owners) copy.owners.set(id, name);
    copy.arrivals.push(...this.arrivals);
    const order: string[] = [];
    for (let id = copy.claim(); id !== null; id = copy.claim()) order.push(id);
    return order;
  }

  readonly #byArrival = (one: string, other: string): number =>
    this.arrivals.indexOf(one) - this.arrivals.indexOf(other);
}

const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("submit" as const), pick: fc.nat(4) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("claim" as const), pick: fc.constant(0) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("cancel" as const), pick: fc.nat(99) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("front" as const), pick: fc.nat(99) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("back" as const), pick: fc.nat(99) }) },
);

describe("FR-002: turns between credentials", () => {
  test("whatever happens, tasks are claimed in turn and every place said is the place in that order", async () => {
    let claims = 0;
    let moved = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 40 }), async (steps) => {
        const model = new Model();
        for (const { kind, pick } of steps) {
          const order = model.order();
          const chosen = order[pick % Math.max(1, order.length)];
          if (kind === "submit") {
            const name = `client-${pick}`;
            model.submit(name, await submitAs(name));
          } else if (kind === "claim") {
            const id = await claim();
            expect(id).toBe(model.claim());
            if (id !== null) claims += 1;
          } else if (chosen !== undefined && kind === "cancel") {
            await cancelTask(core.context, chosen);
            model.leave(chosen);
          } else if (chosen !== undefined) {
            await setFront(operator(), chosen, kind === "front");
            model.setFront(chosen, kind === "front");
            moved += 1;
          }
          await expectPlaces(model.order());
        }
        for (const id of model.order()) expect(await claim()).toBe(id);
        expect(await claim()).toBeNull();
        expect(await core.context.database.prepareRead("SELECT * FROM queue_turns").all()).toEqual([]);
      }),
      { seed: 20_261_121, numRuns: 60 },
    );
    expect(claims).toBeGreaterThan(80);
    expect(moved).toBeGreaterThan(50);
  }, 60_000);

  async function expectPlaces(order: readonly string[]): Promise<void> {
    const { prepareRead } = core.context.database;
    const turns = await allTurns(prepareRead);
    for (const [index, id] of order.entries()) {
      const task = await taskOf(core, id);
      const turn = await turnOf(prepareRead, task);
      expect(turn.position).toBe(index + 1);
      expect(turns.get(task.sequence)).toEqual(turn);
      const ahead = (await tasksAhead(prepareRead, task, turn)).reduce((sum, { count }) => sum + count, 0);
      expect(ahead).toBe(index);
    }
    expect(turns.size).toBe(order.length);
  }

  test("one task is not starved by five hundred, nor by clients that come and go", async () => {
    for (let nth = 0; nth < 500; nth += 1) await submitAs("busy");
    const one = await submitAs("modest");
    expect(await position(one)).toBe(2);
    await claim();
    expect(await claim()).toBe(one);
    const waits = await submitAs("patient");
    // Newcomers join at the end: none of them gets before a client that waits already.
    const newcomers: string[] = [];
    for (let nth = 0; nth < 10; nth += 1) newcomers.push(await submitAs(`newcomer-${nth}`));
    const claimed: (string | null)[] = [];
    for (let nth = 0; nth < 12; nth += 1) claimed.push(await claim());
    expect(claimed.indexOf(waits)).toBeLessThanOrEqual(1);
    expect(claimed.slice(2)).toEqual(newcomers);
  });

  test("who comes back after each claim does not get before who has waited", async () => {
    await submitAs("busy");
    await submitAs("busy");
    const eager: string[] = [await submitAs("eager")];
    const order: string[] = [];
    for (let nth = 0; nth < 6; nth += 1) {
      const id = (await claim()) ?? "";
      order.push(eager.includes(id) ? "eager" : "busy");
      if (eager.includes(id)) eager.push(await submitAs("eager"));
    }
    expect(order).toEqual(["busy", "eager", "busy", "eager", "eager", "eager"]);
  });

  test("what does not fit loses no turn, and holds nobody up", async () => {
    const images = lane({ image: 10, video: 0, total: 10 });
    const clip = await submitAs("film", videoRequest());
    const second = await submitAs("film");
    const other = await submitAs("photo");
    expect([await claim(images), await claim(images), await claim(images)]).toEqual([second, other, null]);
    expect(await claim()).toBe(clip);
  });

  test("an operator puts a task before all others, and takes it back", async () => {
    const [first, second, third] = [await submitAs("a"), await submitAs("a"), await submitAs("b")];
    expect(await setFront(operator(), second, true)).toEqual({ id: second, front: true });
    expect(await Promise.all([second, first, third].map(position))).toEqual([1, 2, 3]);
    expect(await describeTask(core.context, await taskOf(core, second))).toMatchObject({ queue_position: 1 });
    await setFront(operator(), second, false);
    expect(await Promise.all([first, third, second].map(position))).toEqual([1, 2, 3]);
    await setFront(operator(), third, true);
    expect(await claim()).toBe(third);
    expect(await setFront(operator(), third, false)).toEqual({ id: third, front: true });
    await expect(setFront(operator(), "nobody", true)).rejects.toMatchObject({ code: "task_not_found" });
    const rows = await core.context.database
      .prepareRead("SELECT * FROM audit_events WHERE action = 'front_task'")
      .all();
    expect(rows).toHaveLength(4);
    expect(rows[0]).toMatchObject({ actor_id: "admin-session:1", target: second, details: '{"front":true}' });
  });

  test.skipIf(onPostgres)("claims and places ask the indexes made for them, and sort nothing", async () => {
    for (let nth = 0; nth < 40; nth += 1) await submitAs(`client-${nth % 20}`);
    const front = await submitAs("client-1");
    await setFront(operator(), front, true);
    const asked = new Set<string>();
    const { database } = core.context;
    const recording: Context = {
      ...core.context,
      database: {
        kind: database.kind,
        dialect: database.dialect,
        prepareRead: database.prepareRead,
        read: (work) => database.read(work),
        get commits() {
          return database.commits;
        },
        isUsable: () => database.isUsable(),
        shared: database.shared,
        clock: database.clock,
        listen: (channel, heard) => database.listen(channel, heard),
        lead: (hear) => database.lead(hear),
        size: () => database.size(),
        close: () => database.close(),
        write: (work) =>
          database.write((tx) =>
            work({
              afterCommit: (run) => tx.afterCommit(run),
              notify: (channel, text) => tx.notify(channel, text),
              dialect: tx.dialect,
              prepare: Object.assign(
                (sql: string) => {
                  asked.add(sql);
                  return tx.prepare(sql);
                },
                { dialect: tx.dialect },
              ),
            }),
          ),
      },
    };
    for (let nth = 0; nth < 3; nth += 1) await claimNext(recording, [roomy]);
    await submitTask(recording, { request: requestFor(), idempotency: null, queueLimit: 10_000 });
    const plans: string[] = [];
    for (const sql of asked) {
      if (!sql.startsWith("SELECT") || !/'pending'|queue_turns/.test(sql)) continue;
      const values = Array.from({ length: sql.split("?").length - 1 }, () => null);
      const steps = await database.prepareRead(`EXPLAIN QUERY PLAN ${sql}`).all(...values);
      plans.push(`${sql}\n${steps.map(({ detail }) => String(detail)).join("\n")}`);
    }
    expect(plans.length).toBeGreaterThan(5);
    for (const plan of plans) {
      // Left to choose, SQLite takes an index of the history and looks at every task that waits.
      expect(plan).not.toMatch(
        /USING (?:COVERING )?INDEX (?:history|gallery|tasks_pending)|SCAN tasks(?! USING (?:COVERING )?INDEX tasks_in_(?:front|turn))/,
      );
      expect(plan).not.toMatch(/TEMP B-TREE/);
    }
  });
});

test("an earlier release that writes to this schema keeps the turns right", async () => {
  const { context } = core;
  // As version 0.1.0 writes: without the columns that it does not know.
  const insert = (nth: number) =>
    context.database.write((tx) =>
      tx
        .prepare(
          `INSERT INTO tasks (id, model, type, mode, prompt, parameters, seed, catalog_version, status, stage, created_at, updated_at)
           VALUES (?, 'flux', 'image', 'txt2img', 'a boat', '{}', 1, '1', 'pending', 'queued', 0, 0)`,
        )
        .run(`00000000-0000-7000-8000-00000000000${nth}`),
    );
  for (let nth = 0; nth < 4; nth += 1) await insert(nth);
  const newer = await submitAs("a");
  await context.database.write(async (tx) => {
    await tx.prepare("UPDATE tasks SET status = 'processing' WHERE id LIKE '00000000%0'").run();
    await tx.prepare("DELETE FROM tasks WHERE id LIKE '00000000%1' AND status = 'pending' AND submitted_by = ''").run();
  });
  const turns = () => context.database.prepareRead("SELECT credential, waiting FROM queue_turns ORDER BY place").all();
  expect(await turns()).toMatchObject([
    { credential: "", waiting: 2 },
    { credential: "a", waiting: 1 },
  ]);
  expect(await position(newer)).toBe(2);
  // One that runs for nobody was handed back, and goes before all.
  expect([await claim(), await claim()].map((id) => id?.slice(-1))).toEqual(["0", "2"]);
  expect(await claim()).toBe(newer);
  await claim();
  expect(await turns()).toEqual([]);
});

describe("a paused queue", () => {
  test("accepts and starts nothing, tells so, and goes on when it is resumed", async () => {
    const first = await submitAs("a");
    core.clock.advance(5000);
    expect(await pauseQueue(operator())).toMatchObject({
      paused: true,
      paused_by: "admin-session:1",
      paused_at: new Date(core.clock.now()).toISOString(),
      pending: 1,
      oldest_pending_at: new Date(core.clock.now() - 5000).toISOString(),
    });
    expect(await claim()).toBeNull();
    const second = await submitAs("b");
    expect(await describeQueue(core.context)).toMatchObject({ paused: true, pending: 2, processing: 0 });
    expect(await describeTask(core.context, await taskOf(core, second))).toMatchObject({
      queue_position: 2,
      eta_seconds: null,
    });
    core.clock.advance(1000);
    const again = await pauseQueue(actAs(operator(), { ...operator(), actor: { type: "admin", id: "another" } }));
    expect(again).toMatchObject({ paused_by: "admin-session:1" });
    expect(await resumeQueue(operator())).toMatchObject({ paused: false, paused_at: null, paused_by: null });
    expect(await claim()).toBe(first);
    const rows = await core.context.database.prepareRead("SELECT action, details FROM audit_events ORDER BY id").all();
    expect(rows.map(({ action }) => action)).toEqual(["pause_queue", "pause_queue", "resume_queue"]);
    expect(JSON.parse(String(rows[2]?.details))).toEqual({ paused_ms: 1000 });
  });

  test("is still paused after a restart", async () => {
    await submitAs("a");
    await pauseQueue(operator());
    core = await core.reopen();
    expect(await claim()).toBeNull();
    expect(await describeQueue(core.context)).toMatchObject({ paused: true, paused_by: "admin-session:1" });
    await resumeQueue(operator());
    expect(await claim()).not.toBeNull();
  });

  test("is not paused when the row of the audit log cannot be written", async () => {
    core.faults.failNth(2, "statement");
    await expect(pauseQueue(operator())).rejects.toThrow();
    expect((await describeQueue(core.context)).paused).toBe(false);
  });
});
