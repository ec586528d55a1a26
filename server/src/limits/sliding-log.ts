import type { Rule } from "./rules.ts";

/** So many requests in so many milliseconds. */
export type Window = Pick<Rule, "most" | "window">;

/** One caller under one rule, as it is written down. */
export interface LogRow {
  /** Place in the log, 0 to the most callers it holds; a later caller may take it over. */
  readonly slot: number;
  readonly key: string;
  /** When requests were let through, oldest first; never empty. */
  readonly hits: readonly number[];
  /** Those of them that were counted here since the last time it was asked for what changed. */
  readonly fresh: readonly number[];
}

interface Entry {
  readonly key: string;
  readonly slot: number;
  hits: number[];
  fresh: number[];
  older: Entry | undefined;
  newer: Entry | undefined;
}

/**
 * Remembers for each caller when its requests were let through, so that the rule holds in every stretch of time and not only between
 * full minutes. Refused requests are not remembered: who asks on is let in as soon as one who waited.
 *
 * It holds a fixed number of callers. When that many come within one window, the one let through longest ago is forgotten: then
 * somebody may ask a little more often than the rule says, but nobody is refused because of others.
 */
export class SlidingLog {
  readonly #rule: Window;
  readonly #mostCallers: number;
  readonly #entries = new Map<string, Entry>();
  readonly #slots: (Entry | undefined)[] = [];
  readonly #free: number[] = [];
  #changed = new Set<number>();
  /** A chain in the order of last requests. (A map's own order is slow at the front of a map from whose front much was deleted.) */
  #oldest: Entry | undefined;
  #newest: Entry | undefined;

  constructor(rule: Window, mostCallers: number) {
    this.#rule = rule;
    this.#mostCallers = mostCallers;
  }

  get rule(): Window {
    return this.#rule;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Counts a request at `now` and answers 0, or answers after how many milliseconds the next one is let through. */
  take(key: string, now: number): number {
    const wait = this.waitOf(key, now);
    if (wait > 0) return wait;
    const known = this.#entries.get(key);
    if (known === undefined) {
      this.#forgetOld(now);
      this.#add(key, this.#freeSlot(), [now], [now]);
      return 0;
    }
    known.hits.push(now);
    known.fresh.push(now);
    this.#unlink(known);
    this.#link(known);
    this.#changed.add(known.slot);
    return 0;
  }

  /** What `take` would answer; counts nothing. */
  waitOf(key: string, now: number): number {
    const { most, window } = this.#rule;
    const hits = this.#entries.get(key)?.hits ?? [];
    while (hits.length > 0 && (hits[0] ?? 0) <= now - window) hits.shift();
    return hits.length < most ? 0 : (hits[0] ?? now) + window - now;
  }

  /** What all gateways together have let through takes the place of what was known here; what was counted since stays beside it. */
  adopt(key: string, hits: readonly number[], now: number): void {
    const known = this.#entries.get(key);
    const { most, window } = this.#rule;
    const all = [...hits, ...(known?.fresh ?? [])].map((hit) => Math.min(hit, now));
    const recent = all.filter((hit) => hit > now - window).slice(-most);
    if (known !== undefined) known.hits = recent;
    else if (recent.length > 0) {
      this.#forgetOld(now);
      const slot = this.#freeSlot();
      this.#add(key, slot, recent, []);
      this.#changed.delete(slot);
    }
  }

  /** What changed since the last call. */
  takeChanges(): LogRow[] {
    const changed = this.#changed;
    this.#changed = new Set();
    const rows: LogRow[] = [];
    for (const slot of changed) {
      const entry = this.#slots[slot];
      if (entry === undefined) continue;
      rows.push({ slot, key: entry.key, hits: [...entry.hits], fresh: entry.fresh });
      entry.fresh = [];
    }
    return rows;
  }

  /** These could not be written; they come with the next changes again. */
  putBack(rows: readonly LogRow[]): void {
    for (const { slot, key, fresh } of rows) {
      this.#changed.add(slot);
      const entry = this.#slots[slot];
      if (entry?.key === key) entry.fresh = [...fresh, ...entry.fresh];
    }
  }

  /** Takes over what was written down, into a log that is still empty. */
  restore(rows: readonly Omit<LogRow, "fresh">[], now: number): void {
    const { most, window } = this.#rule;
    const last = ({ hits }: Omit<LogRow, "fresh">) => hits.at(-1) ?? 0;
    for (const { slot, key, hits } of rows.toSorted((one, other) => last(one) - last(other))) {
      // A clock that was set back must lock nobody out: nothing happened later than now.
      const recent = hits.map((hit) => Math.min(hit, now)).filter((hit) => hit > now - window);
      const isFree = slot >= 0 && slot < this.#mostCallers && this.#slots[slot] === undefined;
      if (!isFree || recent.length === 0) continue;
      const older = this.#entries.get(key);
      if (older !== undefined) this.#forget(older);
      this.#add(key, slot, recent.slice(-most), []);
    }
    this.#free.length = 0;
    for (let slot = 0; slot < this.#slots.length; slot += 1) {
      if (this.#slots[slot] === undefined) this.#free.push(slot);
    }
    this.#changed.clear();
  }

  #add(key: string, slot: number, hits: number[], fresh: number[]): void {
    const entry: Entry = { key, slot, hits, fresh, older: undefined, newer: undefined };
    this.#entries.set(key, entry);
    this.#slots[slot] = entry;
    this.#link(entry);
    this.#changed.add(slot);
  }

  #freeSlot(): number {
    if (this.#entries.size >= this.#mostCallers && this.#oldest !== undefined) this.#forget(this.#oldest);
    return this.#free.pop() ?? this.#slots.length;
  }

  #forgetOld(now: number): void {
    while (this.#oldest !== undefined && (this.#oldest.hits.at(-1) ?? 0) <= now - this.#rule.window) {
      this.#forget(this.#oldest);
    }
  }

  #forget(entry: Entry): void {
    this.#entries.delete(entry.key);
    this.#slots[entry.slot] = undefined;
    this.#free.push(entry.slot);
    this.#unlink(entry);
  }

  #link(entry: Entry): void {
    entry.older = this.#newest;
    entry.newer = undefined;
    if (this.#newest === undefined) this.#oldest = entry;
    else this.#newest.newer = entry;
    this.#newest = entry;
  }

  #unlink({ older, newer }: Entry): void {
    if (older === undefined) this.#oldest = newer;
    else older.newer = newer;
    if (newer === undefined) this.#newest = older;
    else newer.older = older;
  }
}
