import { taskTables } from "./0001-tasks.ts";
import { installationTables } from "./0002-installation.ts";
import { auditTables } from "./0003-audit.ts";
import { eventSignals } from "./0004-event-signals.ts";
import { gatewayTable } from "./0005-gateways.ts";
import { sharedWork } from "./0006-shared-work.ts";
import type { PostgresMigration } from "./migration.ts";

export const postgresMigrations: readonly PostgresMigration[] = [
  taskTables,
  installationTables,
  auditTables,
  eventSignals,
  gatewayTable,
  sharedWork,
];
