import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseFaults } from "../../testing/core.ts";
import { describeDatabase } from "../conformance.ts";
import { openSqlite } from "./open.ts";

describeDatabase("SQLite", async () => {
  const folder = await mkdtemp(join(tmpdir(), "safelight-database-"));
  const faults = new DatabaseFaults();
  const database = await openSqlite({ file: join(folder, "test.sqlite"), interrupt: faults.interrupt });
  return {
    database,
    failNext: (operation) => faults.failNth(1, operation),
    async close() {
      await database.close();
      await rm(folder, { recursive: true });
    },
  };
});
