// The database crashes and comes back while events are written and read at two gateways: each is heard once and in order.
import { afterAll, beforeAll, expect, test } from "vitest";
import { appendEvent } from "../events/append.ts";
import { followEvents } from "../events/follow.ts";
import { openGateway, type TestGateway } from "../testing/gateway.ts";
import { type PostgresServer, startPostgres } from "../testing/postgres-server.ts";

let server: PostgresServer;
let gateways: TestGateway[];

beforeAll(async () => {
  server = await startPostgres({ durable: true });
  const url = await server.createDatabase();
  gateways = await Promise.all([openGateway(url), openGateway(url)]);
});
afterAll(async () => {
  for (const gateway of gateways) await gateway.close();
  await server.stop();
});

const append = ({ context }: TestGateway, number: number): Promise<boolean> =>
  context.database
    .write((tx) => appendEvent(context, tx, { taskId: "task", type: "task.updated", data: { number }, signal: "none" }))
    .then(
      () => true,
      () => false,
    );

test("two crashes under writers and readers", async () => {
  const stop = new AbortController();
  const heard = await Promise.all(
    gateways.map(async ({ context }) => {
      const ids: number[] = [];
      const snapshot = () => Promise.resolve([]);
      const stream = followEvents(context, { lastEventId: 0, snapshot, signal: stop.signal });
      const reading = (async () => {
        for await (const { id } of stream) ids.push(id ?? -1);
      })();
      return { ids, reading };
    }),
  );
  let isOver = false;
  const stored = gateways.map(async (gateway) => {
    let count = 0;
    for (let number = 1; !isOver; number += 1) if (await append(gateway, number)) count += 1;
    return count;
  });
  for (let crash = 0; crash < 2; crash += 1) {
    const before = heard.map(({ ids }) => ids.length);
    await expect.poll(() => heard.every(({ ids }, nth) => ids.length > (before[nth] ?? 0) + 20)).toBe(true);
    await server.crash();
    await expect.poll(() => gateways.some(({ database }) => database.isUsable())).toBe(false);
    await server.start();
    await expect.poll(() => gateways.every(({ database }) => database.isUsable())).toBe(true);
  }
  await expect.poll(() => Promise.all(gateways.map((gateway) => append(gateway, -1)))).toEqual([true, true]);
  isOver = true;
  const counts = await Promise.all(stored);
  const rows = await gateways[0]?.context.database.prepareRead("SELECT id FROM events ORDER BY id").all();
  const all = rows?.map(({ id }) => Number(id)) ?? [];
  expect(all.length).toBeGreaterThanOrEqual(counts.reduce((sum, count) => sum + count, 0));
  for (const { ids } of heard) await expect.poll(() => ids).toEqual(all);
  stop.abort();
  await Promise.all(heard.map(({ reading }) => reading));
});
