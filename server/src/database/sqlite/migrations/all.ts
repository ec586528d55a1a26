import { firstTables } from "./0001-first-tables.ts";
import { gallery } from "./0002-gallery.ts";
import { workerAccounts } from "./0003-worker-accounts.ts";
import { avoidedExecutors } from "./0004-avoided-executors.ts";
import { searchFilters } from "./0005-search-filters.ts";
import { deployments } from "./0006-deployments.ts";
import { queueTurns } from "./0007-queue-turns.ts";
import { webhookOutbox } from "./0008-webhook-outbox.ts";
import { auditChain } from "./0009-audit-chain.ts";
import { rateLimits } from "./0010-rate-limits.ts";
import { removable } from "./0011-removable.ts";
import { secretLives } from "./0012-secrets.ts";
import { eventSignals } from "./0013-event-signals.ts";
import type { Migration } from "./migration.ts";

export const migrations: readonly Migration[] = [
  firstTables,
  gallery,
  workerAccounts,
  avoidedExecutors,
  searchFilters,
  deployments,
  queueTurns,
  webhookOutbox,
  auditChain,
  rateLimits,
  removable,
  secretLives,
  eventSignals,
];
