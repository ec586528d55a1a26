import type { Config } from "../config.ts";
import type { Database } from "../database/database.ts";
import type { Log } from "../log.ts";
import type { Clock } from "./clock.ts";
import type { EventHub } from "./event-hub.ts";
import type { Ids } from "./ids.ts";
import type { MediaStore } from "./media-store.ts";

/** Who acts. `id`: `api-key`, `session:<first 8 of the hash>` or `system`; never a secret. */
export interface Actor {
  type: "admin" | "client" | "system";
  id: string;
}

/** What every verb is handed: who asks, from where, and what the verb may use. */
export interface Context {
  readonly actor: Actor;
  /** IP address of the caller; `local` for the system itself. */
  readonly source: string;
  readonly correlationId: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly database: Database;
  readonly hub: EventHub;
  readonly log: Log;
  readonly config: Config;
  readonly media: MediaStore;
}

export const SYSTEM_ACTOR: Actor = { type: "system", id: "system" };

/** The same installation seen by another caller. */
export function actAs(context: Context, caller: Pick<Context, "actor" | "source" | "correlationId">): Context {
  return { ...context, actor: caller.actor, source: caller.source, correlationId: caller.correlationId };
}
