import type { AuditBook } from "../audit/audit-book.ts";
import type { Config } from "../config.ts";
import type { Context } from "../context/context.ts";
import type { Deployer } from "../deploy/deployer.ts";
import type { Offers } from "../executors/executor.ts";
import type { Limits } from "../limits/limits.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { ContentPolicy } from "../policy/content-policy.ts";
import type { WorkspaceTasks } from "../proxy/workspace-tasks.ts";
import type { SecretBook } from "../secrets/secret-book.ts";
import type { OpenStreams } from "../sessions/open-streams.ts";
import type { StorageUse } from "../statistics/storage-use.ts";
import type { StorageCare } from "../storage-care/storage-care.ts";
import type { AccountRegistry } from "../worker-accounts/registry.ts";

/** What the embedded engine does for the edge besides running tasks; handed in, so that the edge loads no engine. */
export interface EngineAbilities {
  /** What results made by it say of themselves. */
  readonly name: string;
  /** Whether this machine can write the format. */
  canEncode(format: string): Promise<boolean>;
  /** Every word it can draw, in lower case. */
  knownWords(): readonly string[];
  /** The same media without its embedded recipe. */
  stripRecipe(bytes: Uint8Array, contentType: string): Promise<Uint8Array>;
}

/** The parts of a running server that its routes work with. */
export interface Installation {
  readonly version: string;
  readonly config: Config;
  /** Acts as the system; every request gets one of its own. */
  readonly context: Context;
  readonly offers: Offers;
  readonly policy: ContentPolicy;
  readonly engine: EngineAbilities;
  readonly limits: Limits;
  readonly streams: OpenStreams;
  readonly secrets: SecretBook;
  /** What somebody with the rights of the server's own user shows in place of the admin key; drawn at each start. */
  readonly localKey: string;
  readonly metrics: Metrics;
  readonly storage: StorageUse;
  readonly storageCare: StorageCare;
  readonly audit: AuditBook;
  readonly accounts: AccountRegistry;
  readonly deployer: Deployer;
  /** Asks workers for `workspace::id`. */
  readonly workspaceTasks: WorkspaceTasks;
  /** Whether it can be told who may come in: sessions and secrets can be read, and what they do can be stored. */
  readonly isAccessKnown: () => boolean;
  /** Whether tasks are accepted and run. */
  readonly isReady: () => Promise<boolean>;
  /** Fires when the server begins to stop: whatever waits or streams ends. */
  readonly stopping: AbortSignal;
  /** Folder of the built web page; it may be missing. */
  readonly webFolder: string;
}
