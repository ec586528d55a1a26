/** What is searched for: in the words of a prompt, and among the facts that stand beside them in a search table. */
export interface WantedWords {
  /** Letters and digits, as a prompt has them or begins a word with them; all must be there. None: nothing is found. */
  readonly words: readonly string[];
  /** A letter and a name in hexadecimal, or a letter alone; all must be there. */
  readonly facts: readonly string[];
  /** None of these may be there. */
  readonly without: readonly string[];
}

/**
 * The few fragments of SQL that databases do not share. Everything else is written so that each of them understands it: `ON CONFLICT`,
 * `RETURNING`, `IS NOT DISTINCT FROM`, `coalesce`, and a CAST around a bare parameter that has no type of its own.
 */
export interface Dialect {
  /** After a table's name: the index that is to be walked, for a database that has to be told. */
  through(index: string): string;
  /**
   * At the end of a statement of a transaction that picks rows of this table to take: rows that another transaction has picked and not
   * yet let go of are passed over.
   */
  picking(table: string): string;
  /** Rows with one column `value`: the texts of a JSON array, which is bound to its one `?`. */
  readonly textsOfJson: string;
  /** The bytes of a text expression, in UTF-8. */
  bytesOf(text: string): string;
  /** Whether rows of the audit log go by themselves when `audit_pruning` is told of them: for roles that may not delete. */
  readonly prunesAudit: boolean;
  readonly search: {
    /** Whether the newest tasks stand outside `task_search` for a while. */
    readonly newestApart: boolean;
    /** The column of both search tables that holds the task's sequence. */
    readonly sequence: string;
    /** A condition with one `?` on a search table that stands in FROM as `found`. */
    matches(table: "task_search" | "gallery_search"): string;
    /** What is bound there. */
    expression(wanted: WantedWords): string;
  };
}
