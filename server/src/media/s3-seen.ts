import type { StoredSize } from "../context/media-store.ts";

const most = 20_000;

/** Objects that were there a while ago: lists of tasks ask about each of theirs, and every question is a request. */
export class SeenObjects {
  readonly #seen = new Map<string, { readonly size: StoredSize; readonly at: number }>();

  add(name: string, size: StoredSize): void {
    this.#seen.delete(name);
    const oldest = this.#seen.keys().next().value;
    if (this.#seen.size >= most && oldest !== undefined) this.#seen.delete(oldest);
    this.#seen.set(name, { size, at: performance.now() });
  }

  /** What was seen no longer ago than so many milliseconds. */
  get(name: string, youngerThan: number): StoredSize | null {
    const seen = this.#seen.get(name);
    return seen === undefined || performance.now() - seen.at >= youngerThan ? null : seen.size;
  }

  forget(name: string): void {
    this.#seen.delete(name);
  }
}
