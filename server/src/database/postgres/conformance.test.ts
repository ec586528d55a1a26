import { sharedPostgres } from "../../testing/postgres-server.ts";
import { describeDatabase } from "./conformance.ts";
import { StorageFault } from "./faults.ts";
import { openPostgres } from "./postgres-database.ts";

describeDatabase("PostgreSQL", async () => {
  const server = await sharedPostgres();
  const url = await server.createDatabase();
  let failing: string | null = null;
  const interrupt = (operation: string): void => {
    if (operation !== failing) return;
    failing = null;
    throw new StorageFault("a fault of the test", { breaks: false });
  };
  const database = await openPostgres({ url, interrupt });
  return {
    database,
    failNext(operation) {
      failing = operation;
    },
    async close() {
      await database.close();
      await server.dropDatabase(url);
    },
  };
});
