/**
 * Many clients poll the same few tasks, and nothing changes between two commits: an answer is kept, as the text that was sent, until
 * the next commit. What also changes with time (the estimate, the time limit) is kept for a moment only.
 */
import type { Database } from "../database/database.ts";

const momentMs = 100;
const largestCount = 2000;

interface Answer {
  readonly text: string;
  /** Milliseconds of the monotonic clock; Infinity for a task that has ended. */
  readonly goodUntil: number;
}

export class StatusAnswers {
  readonly #database: Pick<Database, "commits">;
  readonly #answers = new Map<string, Answer>();
  #commits = -1;

  constructor(database: Pick<Database, "commits">) {
    this.#database = database;
  }

  /** The answer as it was last sent, undefined when it may no longer be true. */
  find(id: string): string | undefined {
    if (this.#commits !== this.#database.commits) return undefined;
    const answer = this.#answers.get(id);
    return answer !== undefined && answer.goodUntil > performance.now() ? answer.text : undefined;
  }

  /** Keeps an answer that was read while the database stood at `commits`. */
  keep(id: string, text: string, options: { commits: number; ended: boolean }): void {
    if (options.commits !== this.#database.commits) return;
    if (this.#commits !== options.commits || this.#answers.size >= largestCount) this.#answers.clear();
    this.#commits = options.commits;
    this.#answers.set(id, { text, goodUntil: options.ended ? Number.POSITIVE_INFINITY : performance.now() + momentMs });
  }
}
