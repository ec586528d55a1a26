import type { Context } from "../context/context.ts";
import type { Transaction } from "../database/database.ts";
import { channels } from "../gateways/channels.ts";

/** Lines and characters of one log; what comes after is dropped and said to be. */
const mostLines = 2000;
const mostCharacters = 512 * 1024;
/** How long lines are gathered before they are written, milliseconds. */
const gathering = 200;
const afterFailure = 2000;

/**
 * The log of one running deployment. Lines are written in small batches; what could not be written yet waits for the next try, at the
 * latest for the transaction that ends the deployment.
 */
export class DeploymentLog {
  readonly #context: Context;
  readonly #deployment: number;
  readonly #id: string;
  readonly #written: () => void;
  readonly #last: string[] = [];
  #pending: string[] = [];
  #stored = 0;
  #lines = 0;
  #characters = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #closed = false;

  /** `written` is called after each commit; who follows the deployment at another gateway hears of it too. */
  constructor(context: Context, { number, id }: { readonly number: number; readonly id: string }, written: () => void) {
    this.#context = context;
    this.#deployment = number;
    this.#id = id;
    this.#written = written;
  }

  /** The end of what the command said, also where the log is full. */
  get lastLines(): readonly string[] {
    return this.#last;
  }

  /** A line that the command said, without secrets. */
  add(line: string): void {
    this.#last.push(line);
    if (this.#last.length > 40) this.#last.shift();
    this.note(line);
  }

  /** A line of ours. */
  note(line: string): void {
    if (this.#lines >= mostLines || this.#characters >= mostCharacters) return;
    this.#lines += 1;
    this.#characters += line.length;
    const isFull = this.#lines >= mostLines || this.#characters >= mostCharacters;
    this.#pending.push(isFull ? "… The log is full; what follows is not kept." : line);
    this.#plan(gathering);
  }

  /** Writes nothing more by itself; `storeRest` takes what is left. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#writing;
  }

  /** Writes what is left in the caller's transaction. */
  async storeRest(tx: Transaction): Promise<void> {
    await this.#store(tx, this.#pending);
  }

  #plan(delay: number): void {
    if (this.#closed || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#writing = this.#write();
    }, delay);
  }

  async #write(): Promise<void> {
    const lines = this.#pending;
    this.#pending = [];
    let next = gathering;
    try {
      await this.#context.database.write((tx) => this.#store(tx, lines));
    } catch (error) {
      this.#context.log.warn("lines of a deploy's log could not be written yet", { error });
      this.#pending = [...lines, ...this.#pending];
      next = afterFailure;
    }
    this.#timer = undefined;
    if (this.#pending.length > 0) this.#plan(next);
  }

  async #store(tx: Transaction, lines: readonly string[]): Promise<void> {
    if (lines.length === 0) return;
    // Lines whose commit was lost may be there already: the same ones in the same places.
    const insert = tx.prepare(
      "INSERT INTO deployment_log (deployment, line, text) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    );
    for (const [index, text] of lines.entries()) await insert.run(this.#deployment, this.#stored + index, text);
    const stored = this.#stored + lines.length;
    await tx.prepare("UPDATE deployments SET log_lines = ? WHERE number = ?").run(stored, this.#deployment);
    await tx.notify(channels.deployments, this.#id);
    tx.afterCommit(() => {
      this.#stored = stored;
      this.#written();
    });
  }
}
