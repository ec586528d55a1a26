import { DatabaseFaults } from "../../testing/core.ts";
import { sharedPostgres } from "../../testing/postgres-server.ts";
import { describeDatabase } from "../conformance.ts";
import { openPostgres } from "./postgres-database.ts";

describeDatabase("PostgreSQL", async () => {
  const server = await sharedPostgres();
  const url = await server.createDatabase();
  const faults = new DatabaseFaults();
  const database = await openPostgres({ url, interrupt: faults.interrupt });
  return {
    database,
    failNext: (operation) => faults.failNth(1, operation),
    async close() {
      await database.close();
      await server.dropDatabase(url);
    },
  };
});
