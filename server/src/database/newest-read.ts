/**
 * For what is kept in memory as it was read last: of several reads under way the one that began last counts, however they end. One that
 * began earlier may have missed a commit that the later one has seen.
 */
export class NewestRead {
  #begun = 0;
  #taken = 0;

  /** Rejects when the read fails; nothing is taken then. */
  async take<T>(read: () => Promise<T>, keep: (value: T) => void): Promise<void> {
    this.#begun += 1;
    const own = this.#begun;
    const value = await read();
    if (own < this.#taken) return;
    this.#taken = own;
    keep(value);
  }

  /** What a transaction has read of its own change, once it is committed: newer than every read that has begun so far. */
  takeCommitted<T>(value: T, keep: (value: T) => void): void {
    this.#begun += 1;
    this.#taken = this.#begun;
    keep(value);
  }
}
