import { expect, test } from "vitest";
import { openEdge } from "../testing/edge.ts";
import { Gate, HeldDatabase } from "../testing/held-database.ts";
import { addAccount } from "../worker-accounts/add-account.ts";
import { createMetrics } from "./metrics.ts";

test("two who read at the same moment both find every account", async () => {
  const edge = await openEdge();
  try {
    const { accounts, storage } = edge.installation;
    const worker = {
      label: "Attic",
      kind: "http",
      base_url: "http://127.0.0.1:9",
      worker_key: "k".repeat(32),
    } as const;
    await addAccount(edge.context, accounts, { ...worker, workspace: "attic-gpu" });
    const database = new HeldDatabase(edge.context.database);
    const context = { ...edge.context, database };
    const [atDisk, atAccounts] = [new Gate(), new Gate()];
    const slowly = { look: () => atDisk.pass().then(() => storage.look()) };
    const metrics = createMetrics({ context, accounts, storage: slowly, version: "0.0.0", ofProcess: false });
    const first = metrics.read();
    await atDisk.reached;
    database.onRead = (sql) => (sql.includes("FROM worker_accounts") ? atAccounts.pass() : undefined);
    const second = metrics.read();
    await atAccounts.reached;
    atDisk.open();
    expect(await first).toContain('safelight_worker_up{workspace="attic-gpu"} 0');
    atAccounts.open();
    expect(await second).toContain('safelight_worker_up{workspace="attic-gpu"} 0');
    metrics.close();
  } finally {
    await edge.close();
  }
});
