// The benchmarks of what lasts run and hold what they promise to print; their figures are for npm run bench.
import { expect, test } from "vitest";
import { benchAccess } from "./access.ts";
import { benchAudit } from "./audit.ts";
import { benchDatabases } from "./databases.ts";
import { benchGallery } from "./gallery.ts";
import { benchGateways } from "./gateways.ts";
import { benchRouting } from "./routing.ts";
import { benchTasks } from "./tasks.ts";

test("the gallery's benchmark finds a page in every case, at every size, by the verb and over HTTP", async () => {
  const figures = await benchGallery({ small: true });
  const names = figures.map(({ what }) => what);
  expect(new Set(names).size).toBe(names.length);
  for (const kind of ["page", "count", "over HTTP, with count"]) {
    for (const one of ["list", "list by model", "common word", "common word by rare type"]) {
      expect(names).toContain(`${one}: ${kind}`);
    }
  }
  for (const { what, measured, ratio } of figures) {
    expect([what, measured]).toEqual([what, expect.stringMatching(/^[\d.]+ ms$/)]);
    if (ratio !== null) expect(ratio).toBeGreaterThan(0);
  }
}, 60_000);

test("the benchmark of routing runs tasks on a worker both ways", async () => {
  const figures = await benchRouting({ small: true });
  expect(figures.map(({ measured }) => measured)).toEqual([
    expect.stringMatching(/^[\d.,]+ ms$/),
    expect.stringMatching(/^[\d,]+ \/s$/),
  ]);
  for (const { ratio } of figures) expect(ratio).toBeGreaterThan(0);
}, 60_000);

test("the benchmark of access measures memory and refusals", async () => {
  const figures = await benchAccess({ small: true });
  expect(figures.map(({ measured }) => measured.split(" ")[1])).toEqual(["MB", "MB", "µs", "µs"]);
}, 60_000);

test("the benchmark of the audit log writes and checks it", async () => {
  const figures = await benchAudit({ small: true });
  expect(figures.map(({ what }) => what)).toEqual([
    "audit row, database's time",
    "audit row, 10 writers, durable",
    "audit, rows checked",
    "audit, longest wait for others while it is checked",
  ]);
}, 60_000);

test("the benchmark of gateways goes from one to more, and says who used the processors", async () => {
  const figures = await benchGateways({ small: true });
  expect(figures.map(({ what }) => what.split(",", 2).join())).toEqual([
    "submit, 1 gateway",
    "status, 1 gateway",
    "submit, 2 gateways",
    "status, 2 gateways",
  ]);
  for (const { ratio, note } of figures) {
    expect(ratio).toBeGreaterThan(0);
    expect(note).toMatch(/gateways \d+ %, PostgreSQL \d+ %, client \d+ %/);
  }
}, 180_000);

test("the benchmark of databases asks both the same", async () => {
  const figures = await benchDatabases({ small: true });
  expect(figures).toHaveLength(16);
  for (const { what, ratio } of figures) expect(ratio, what).toBeGreaterThan(0);
}, 180_000);

test("the benchmark of tasks counts what one costs", async () => {
  const figures = await benchTasks({ small: true });
  for (const { what, measured } of figures) {
    // Creators' tasks leave no rows in the audit log.
    if (!what.includes("audit")) expect(Number.parseFloat(measured), what).toBeGreaterThan(0);
  }
}, 180_000);
