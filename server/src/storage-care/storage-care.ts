import type { CheckedRequest } from "@safelight/catalog";
import type { Storage } from "@safelight/contract";
import type { Context } from "../context/context.ts";
import { whileLeading } from "../gateways/while-leading.ts";
import type { CountedMedia } from "../media/metered-media-store.ts";
import { freeBytes } from "./disk.ts";
import { expectedOf } from "./expected.ts";
import { nextByAge, nextByQuota } from "./removable.ts";
import { lastRemoval, removeOld } from "./remove-old.ts";
import { Room, sayShortage } from "./room.ts";

/** How often it is looked for what is due, in milliseconds. */
const interval = 60 * 60 * 1000;
/** After the start, when the first work is done. */
const afterStart = 30_000;
const day = 24 * 60 * 60 * 1000;

/** Cares that the disk does not run full: lets in what there is room for, and removes what is old where that is wanted. */
export class StorageCare {
  readonly #context: Context;
  readonly #media: CountedMedia;
  readonly #room: Room;
  #running: Promise<number> | null = null;
  #again = false;

  constructor(context: Context, media: CountedMedia) {
    this.#context = context;
    this.#media = media;
    this.#room = new Room(context, media);
  }

  /** Errors: `storage_unavailable` with the numbers. */
  letTaskIn(request: CheckedRequest): Promise<void> {
    return this.#room.letIn(expectedOf(request));
  }

  /** Errors: `storage_unavailable` with the numbers. */
  letUploadIn(bytes: number): Promise<void> {
    return this.#room.letIn(bytes);
  }

  /** Why new tasks are refused, in a sentence; null while they are not. */
  async shortage(): Promise<string | null> {
    const { shortage } = await this.#room.now();
    return shortage === null ? null : sayShortage(shortage);
  }

  /** Removes what is due now. One run at a time; who comes in the middle of one gets another after it. */
  remove(over: AbortSignal): Promise<number> {
    if (this.#running !== null) {
      this.#again = true;
      return this.#running;
    }
    this.#running = this.#removeAll(over).finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #removeAll(over: AbortSignal): Promise<number> {
    let removed = 0;
    do {
      this.#again = false;
      removed += await removeOld(this.#context, this.#media, over);
    } while (this.#again && !over.aborted);
    return removed;
  }

  /**
   * Looks now and then, and whenever a result has gone over the quota; of several gateways one does. Answers how to stop; a portion under
   * way is finished.
   */
  start(): () => Promise<void> | void {
    const { config } = this.#context;
    const { mediaQuota: quota, mediaRetentionDays: days } = config;
    const removes = days !== null || (quota !== null && config.mediaOverQuota === "remove");
    if (!removes) return async () => undefined;
    return whileLeading(this.#context, () => this.#startRemoving());
  }

  #startRemoving(): () => Promise<void> {
    const { config, hub, log } = this.#context;
    const { mediaQuota: quota } = config;
    const stopping = new AbortController();
    const run = () =>
      void this.remove(stopping.signal).catch((error: unknown) =>
        log.warn("old results could not be removed; it is tried again in an hour", { error }),
      );
    const first = setTimeout(run, afterStart).unref();
    const timer = setInterval(run, interval).unref();
    const unwatch = hub.watch(({ signal }) => {
      if (signal === "ended" && quota !== null && this.#media.usage().bytes > quota) run();
    });
    return async () => {
      unwatch();
      clearTimeout(first);
      clearInterval(timer);
      stopping.abort();
      await this.#running?.catch(() => undefined);
    };
  }

  /** How it stands. */
  async describe(): Promise<Storage> {
    const { config, database } = this.#context;
    const { bytes, files } = this.#media.usage();
    const { expected, shortage } = await this.#room.now();
    const last = await lastRemoval(database.prepareRead);
    return {
      accepting: shortage === null && this.#media.refusal() === null,
      short_of: shortage?.limit ?? null,
      media_bytes: bytes,
      media_files: files,
      database_bytes: await database.size(),
      free_bytes: await freeBytes(this.#media.folder),
      reserve_bytes: config.mediaReserve,
      expected_bytes: expected,
      needed_bytes: config.mediaReserve + expected,
      quota_bytes: config.mediaQuota,
      over_quota: config.mediaOverQuota,
      retention_days: config.mediaRetentionDays,
      favourites: await this.#favourites(),
      next_removal: await this.#nextRemoval(),
      last_removal: last === null ? null : { ...last, at: new Date(last.at).toISOString() },
    };
  }

  async #favourites(): Promise<Storage["favourites"]> {
    const row = await this.#context.database
      .prepareRead(
        `SELECT count(*) AS tasks, coalesce(sum(result_bytes), 0) AS bytes FROM tasks${this.#context.database.dialect.through("gallery_favourites")}
         WHERE status = 'done' AND favourite = 1`,
      )
      .get();
    return { tasks: Number(row?.tasks), bytes: Number(row?.bytes) };
  }

  async #nextRemoval(): Promise<Storage["next_removal"]> {
    const { mediaQuota: quota, mediaOverQuota, mediaRetentionDays: days } = this.#context.config;
    const isOver = quota !== null && this.#media.usage().bytes > quota;
    const byQuota = quota !== null && mediaOverQuota === "remove" ? await nextByQuota(this.#context) : null;
    const byAge = days === null ? null : await nextByAge(this.#context);
    if (byAge !== null && days !== null && !(isOver && byQuota !== null)) {
      return { reason: "age", at: new Date(byAge.finishedAt + days * day).toISOString(), task_id: byAge.id };
    }
    return byQuota === null ? null : { reason: "quota", at: null, task_id: byQuota.id };
  }
}
