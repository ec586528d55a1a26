import type { Config } from "../config.ts";
import type { Database } from "../database/database.ts";
import type { Log } from "../log.ts";
import { type Clock, createSystemClock } from "./clock.ts";
import { EventHub } from "./event-hub.ts";
import { createRandomIds, type Ids } from "./ids.ts";
import type { MediaStore } from "./media-store.ts";
import { plainTokenHashes, type TokenHashes } from "./token-hashes.ts";
import { WaitingBoard } from "./waiting-board.ts";

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
  /** This start of the server, drawn anew each time. Leases are held in its name. */
  readonly instance: string;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly database: Database;
  readonly hub: EventHub;
  readonly log: Log;
  readonly config: Config;
  readonly media: MediaStore;
  /** Why tasks wait. */
  readonly waiting: WaitingBoard;
  /** How tokens of sessions are kept. */
  readonly tokens: TokenHashes;
}

export const SYSTEM_ACTOR: Actor = { type: "system", id: "system" };

/** The same installation seen by another caller. */
export function actAs(context: Context, caller: Pick<Context, "actor" | "source" | "correlationId">): Context {
  return { ...context, actor: caller.actor, source: caller.source, correlationId: caller.correlationId };
}

type Parts = Pick<Context, "database" | "log" | "config" | "media"> &
  Partial<Pick<Context, "clock" | "ids" | "hub" | "tokens">>;

/** The context in which the system itself acts; made once at start, callers get theirs by `actAs`. */
export function createContext(parts: Parts): Context {
  const ids = parts.ids ?? createRandomIds();
  return {
    actor: SYSTEM_ACTOR,
    source: "local",
    correlationId: ids.task(),
    instance: ids.token(),
    clock: parts.clock ?? createSystemClock(),
    ids,
    database: parts.database,
    hub: parts.hub ?? new EventHub((error) => parts.log.error("an event listener failed", { error })),
    log: parts.log,
    config: parts.config,
    media: parts.media,
    waiting: new WaitingBoard(),
    tokens: parts.tokens ?? plainTokenHashes,
  };
}
