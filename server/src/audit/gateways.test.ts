/** The audit log of an installation with several gateways: one chain, and nothing goes while somebody reads it. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, test } from "vitest";
import { fillAuditLog, newAuditKeys } from "../testing/audit-log.ts";
import { openInstallation, type TestGateway, type TestInstallation } from "../testing/gateway.ts";
import { HeldDatabase } from "../testing/held-database.ts";
import { AuditBook } from "./audit-book.ts";
import { verifyExport } from "./verify-export.ts";

const keys = newAuditKeys();
const longAgo = 10 * 365 * 24 * 60 * 60 * 1000;
let installation: TestInstallation;
let [one, other]: [TestGateway, TestGateway] = [] as never;
beforeEach(async () => {
  installation = await openInstallation();
  [one, other] = [await installation.open(), await installation.open()];
});
afterEach(() => installation.close());

const count = async (table: string) =>
  Number((await one.database.prepareRead(`SELECT count(*) AS n FROM ${table}`).get())?.n);

test("FR-022: gateways that start at once begin one chain", async () => {
  const books = [one, other].map(({ context }) => new AuditBook(context, keys));
  await Promise.all(books.map((book) => book.start()));
  expect([await count("audit_events"), await count("audit_checkpoints")]).toEqual([1, 1]);
  await Promise.all([one, other].map((gateway) => fillAuditLog(gateway, 40)));
  for (const book of books) expect(await book.verify()).toMatchObject({ intact: true, checked: 81 });
});

test("FR-022: nothing is removed while another gateway checks or exports the log, and neither raises a false alarm", async () => {
  const { clock } = one.context;
  const then = { now: () => clock.now() - longAgo, steady: () => clock.steady() };
  const context = { ...one.context, clock: then };
  await new AuditBook(context, keys).start();
  await fillAuditLog({ context }, 120);
  const pruner = new AuditBook(other.context, keys);
  const database = new HeldDatabase(one.database);
  const reader = new AuditBook({ ...one.context, database }, keys);
  const removed: number[] = [];
  database.onRead = async (sql) => {
    if (sql === "BEGIN") removed.push(await pruner.prune());
  };
  expect(await reader.verify()).toMatchObject({ intact: true, checked: 121 });
  // At the beginning, in the middle and at the end of the rows.
  expect(removed).toEqual([0, 0, 0, 0]);
  const lines = await reader.export(one.context);
  expect(await pruner.prune()).toBe(0);
  const file = join(one.folder, "log.ndjson");
  await writeFile(file, await text(lines));
  expect(await verifyExport(file)).toMatchObject({ intact: true });
  await expect.poll(() => pruner.prune()).toBe(121);
  expect(await reader.verify()).toMatchObject({ intact: true, pruned: { rows: 121 } });
});

test("FR-022: of several gateways one removes what is due, and each signs what is left when it stops", async () => {
  const books = [one, other].map(({ context }) => new AuditBook(context, keys));
  const [first, second] = books;
  await first?.start();
  const ends = books.map((book) => book.keep());
  for (const [index, gateway] of [one, other].entries()) {
    await fillAuditLog(gateway, 3);
    await ends[index]?.();
    expect((await second?.verify())?.checkpoints).toMatchObject({ rows_after_last: 0, last: { kind: "stop" } });
  }
});
