/**
 * Limits are counted in memory by the steady clock, so that a wall clock that jumps locks nobody out, and written behind every second
 * and at the end, so that a restart does not open them: after `kill -9` at most the last second is lost.
 *
 * Where several gateways share a database they count together. Attempts to sign in, which guess at secrets, are counted in the database
 * one by one: no gateway lets one more through than the rule says. Everything else is put together each second: a caller who asks several
 * gateways at once may get through what each of them lets in within one second, and waits for all of it afterwards.
 */
import type { Context } from "../context/context.ts";
import { type OtherLimits, type RuleName, ruleNames, rules } from "./rules.ts";
import { addEverywhere, countEverywhere, readEverywhere } from "./shared-hits.ts";
import { type LogRow, SlidingLog } from "./sliding-log.ts";
import { UndeclaredProxy } from "./undeclared-proxy.ts";

/** Callers that are remembered under each rule. With 120 requests each this is some 40 MB for all rules (`npm run bench access`), which only that many addresses reach. */
export const mostCallers = 10_000;
const writeInterval = 1000;
const sweepInterval = 60_000;
/** Rows of one transaction: other writers get their turn in between. */
const mostAtOnce = 500;

type Parts = Pick<Context, "clock" | "config" | "database" | "log">;

export class Limits {
  readonly proxy: UndeclaredProxy;
  readonly #parts: Parts;
  readonly #logs = new Map<RuleName, SlidingLog>();
  #writing: Promise<void> = Promise.resolve();
  #lastWriteFailed = false;

  /** What was written before an earlier end counts on. */
  static async open(parts: Parts, other: OtherLimits = {}): Promise<Limits> {
    const limits = new Limits(parts, other);
    await limits.#restore();
    await limits.#sweep();
    return limits;
  }

  private constructor(parts: Parts, other: OtherLimits) {
    this.#parts = parts;
    this.proxy = new UndeclaredProxy(parts.config.trustedProxies, parts);
    for (const name of ruleNames) {
      const rule = { ...rules[name], most: other[name] ?? rules[name].most };
      this.#logs.set(name, new SlidingLog(rule, mostCallers));
    }
  }

  /** Counts a request and answers 0, or answers after how many milliseconds the caller is let through again. Never rejects. */
  take(name: RuleName, key: string): number | Promise<number> {
    const { clock, database } = this.#parts;
    const log = this.#logs.get(name);
    if (log === undefined) return 0;
    const now = clock.steady();
    return database.shared && rules[name].guardsSecrets
      ? this.#takeEverywhere(name, log, key, now)
      : log.take(key, now);
  }

  /** Who is known here to have to wait costs the database nothing. */
  async #takeEverywhere(name: RuleName, log: SlidingLog, key: string, now: number): Promise<number> {
    const known = log.waitOf(key, now);
    if (known > 0) return known;
    try {
      const rule = { name, ...log.rule };
      const { hits, wait } = await this.#parts.database.write((tx) => countEverywhere(tx, rule, key, now));
      log.adopt(key, hits, now);
      return wait;
    } catch (error) {
      this.#complain(error);
      return log.take(key, now);
    }
  }

  /** Writes behind from now on; the function it answers writes the rest and ends it. */
  keep(): () => Promise<void> {
    const timer = setInterval(() => void this.write(), writeInterval).unref();
    const sweeping = setInterval(() => void this.#sweep(), sweepInterval).unref();
    return async () => {
      clearInterval(timer);
      clearInterval(sweeping);
      await this.write();
    };
  }

  /** Writes what changed since the last time. What cannot be written is kept for the next time. */
  write(): Promise<void> {
    this.#writing = this.#writing.then(() => this.#write());
    return this.#writing;
  }

  async #write(): Promise<void> {
    for (const [name, log] of this.#logs) {
      const rows = log.takeChanges();
      for (let from = 0; from < rows.length; from += mostAtOnce) {
        try {
          await this.#writeRows(name, rows.slice(from, from + mostAtOnce));
          this.#lastWriteFailed = false;
        } catch (error) {
          log.putBack(rows.slice(from));
          this.#complain(error);
          return;
        }
      }
    }
  }

  async #writeRows(name: RuleName, rows: readonly LogRow[]): Promise<void> {
    const { clock, database } = this.#parts;
    if (database.shared) return this.#putTogether(name, rows);
    const toWall = clock.now() - clock.steady();
    await database.write(async (tx) => {
      const statement = tx.prepare(
        `INSERT INTO rate_limits (rule, slot, key, hits, last_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT (rule, slot) DO UPDATE SET key = excluded.key, hits = excluded.hits, last_at = excluded.last_at`,
      );
      for (const { slot, key, hits } of rows) {
        const wall = hits.map((hit) => hit + toWall);
        await statement.run(name, slot, key, wall.join(" "), wall.at(-1) ?? 0);
      }
    });
  }

  /** What was counted here and elsewhere since the last time. */
  async #putTogether(name: RuleName, rows: readonly LogRow[]): Promise<void> {
    const { clock, database } = this.#parts;
    const log = this.#logs.get(name);
    if (log === undefined) return;
    const all = await database.write((tx) => addEverywhere(tx, { name, ...log.rule }, rows, clock.steady()));
    for (const [key, hits] of all) log.adopt(key, hits, clock.steady());
  }

  async #restore(): Promise<void> {
    const { clock, database } = this.#parts;
    if (database.shared) {
      for (const [name, log] of this.#logs) {
        const rule = { name, ...log.rule };
        const known = await readEverywhere(database.prepareRead, rule, clock.steady(), mostCallers);
        for (const [key, hits] of known) log.adopt(key, hits, clock.steady());
      }
      return;
    }
    const toWall = clock.now() - clock.steady();
    for (const [name, log] of this.#logs) {
      const rows = await database.prepareRead("SELECT slot, key, hits FROM rate_limits WHERE rule = ?").all(name);
      const restored = rows.map(({ slot, key, hits }) => ({
        slot: Number(slot),
        key: String(key),
        hits: String(hits)
          .split(" ")
          .map((wall) => Number(wall) - toWall),
      }));
      log.restore(restored, clock.steady());
    }
  }

  /** Addresses are not kept longer than they are needed; a clock that was set back leaves none behind either. */
  async #sweep(): Promise<void> {
    const { clock, database } = this.#parts;
    const now = clock.now();
    const longest = Math.max(...ruleNames.map((name) => rules[name].window));
    try {
      await database.write((tx) =>
        tx.prepare("DELETE FROM rate_limits WHERE last_at < ? OR last_at > ?").run(now - longest, now + longest),
      );
    } catch (error) {
      this.#complain(error);
    }
  }

  #complain(error: unknown): void {
    if (!this.#lastWriteFailed)
      this.#parts.log.warn("limits cannot be written down; they hold until the end", { error });
    this.#lastWriteFailed = true;
  }
}
