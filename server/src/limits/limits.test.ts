import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readConfig } from "../config.ts";
import type { Database } from "../database/database.ts";
import { openDatabase } from "../database/open.ts";
import { createLog } from "../log.ts";
import { createTestClock } from "../testing/edge.ts";
import { Limits, mostCallers } from "./limits.ts";

let folder = "";
let lines: string[] = [];
let broken = false;
let clock = createTestClock();
let database: Database;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "safelight-limits-"));
  lines = [];
  broken = false;
  clock = createTestClock();
  database = await openOne();
});
afterEach(async () => {
  await database.close();
  await rm(folder, { recursive: true, force: true });
});

const log = createLog({ level: "warn", destination: { write: (line) => void lines.push(line) } });

function openOne(): Promise<Database> {
  return openDatabase({
    file: join(folder, "safelight.sqlite"),
    log,
    clock,
    interrupt: (step) => {
      if (broken && step === "commit") throw new Error("the disk is full");
    },
  });
}

const open = () => Limits.open({ clock, database, log, config: readConfig({ DATA_DIR: folder }) });
const rows = () => database.prepareRead("SELECT * FROM rate_limits ORDER BY rule, slot").all();
const pass = (limits: Limits, key: string, count: number) =>
  Array.from({ length: count }, () => limits.take("client_session", key)).filter((wait) => wait === 0).length;

describe("FR-018: limits hold over a restart", () => {
  it("what was written counts on, to the millisecond", async () => {
    const first = await open();
    const end = first.keep();
    expect(pass(first, "203.0.113.1", 4)).toBe(4);
    clock.advance(30_000);
    expect(pass(first, "203.0.113.1", 4)).toBe(4);
    await end();
    await database.close();
    database = await openOne();
    clock.advance(10_000);
    const second = await open();
    expect(pass(second, "203.0.113.1", 5)).toBe(2);
    expect(second.take("client_session", "203.0.113.1")).toBe(20_000);
    expect(second.take("admin_session", "203.0.113.1")).toBe(0);
    expect(pass(second, "203.0.113.2", 20)).toBe(10);
  });

  it("after a kill the last second is lost at most: the rest is on disk without an orderly end", async () => {
    const first = await open();
    const end = first.keep();
    pass(first, "203.0.113.1", 10);
    await expect.poll(async () => (await rows()).length).toBe(1);
    // Nobody says goodbye: the second one starts on what the first one has written by itself.
    const second = await open();
    expect(pass(second, "203.0.113.1", 1)).toBe(0);
    await end();
  });

  it.each([-86_400_000, 86_400_000])(
    "a wall clock %i ms off after the restart locks nobody out for longer than the window",
    async (jump) => {
      const first = await open();
      pass(first, "203.0.113.1", 10);
      await first.write();
      clock.set(clock.now() + jump);
      const second = await open();
      expect(second.take("client_session", "203.0.113.1")).toBeLessThanOrEqual(60_000);
      clock.advance(60_000);
      expect(second.take("client_session", "203.0.113.1")).toBe(0);
    },
  );
});

describe("FR-018: what is written stays small", () => {
  it("never more rows than callers are held, whoever comes, and none older than a minute after a start", async () => {
    const limits = await open();
    for (let caller = 0; caller < 3 * mostCallers; caller += 1) {
      void limits.take("client_session", `caller ${caller}`);
      if (caller % 4000 === 0) await limits.write();
    }
    await limits.write();
    expect(await rows()).toHaveLength(mostCallers);
    clock.advance(60_001);
    await open();
    expect(await rows()).toHaveLength(0);
  });

  it("writes nothing when nothing was asked", async () => {
    const limits = await open();
    const { commits } = database;
    await limits.write();
    expect(database.commits).toBe(commits);
  });
});

it("FR-018: a disk that takes nothing loosens no limit; it is told once, and written when it takes again", async () => {
  const limits = await open();
  broken = true;
  pass(limits, "203.0.113.1", 10);
  await limits.write();
  await limits.write();
  expect(pass(limits, "203.0.113.1", 1)).toBe(0);
  expect(await rows()).toHaveLength(0);
  expect(lines.filter((line) => line.includes("limits cannot be written"))).toHaveLength(1);
  broken = false;
  await limits.write();
  expect(await rows()).toHaveLength(1);
});
