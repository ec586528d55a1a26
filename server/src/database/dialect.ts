/**
 * The few fragments of SQL that databases do not share. Everything else is written so that each of them understands it: `ON CONFLICT`,
 * `RETURNING`, `IS NOT DISTINCT FROM`, `coalesce`, and a CAST around a bare parameter that has no type of its own.
 */
export interface Dialect {
  /** Behind the name of a table: the index that is to be walked. Empty where the database finds it by itself. */
  indexedBy(index: string): string;
  /** A condition with one value, a JSON array of texts: the expression is one of them. */
  isOneOf(expression: string): string;
  /**
   * A condition on a row of `tasks`, with the values it takes: its prompt has these words, or words that begin so. Null where words are
   * walked through search tables of their own (`tasks/find-words.ts`).
   */
  hasWords(words: string): { readonly condition: string; readonly values: readonly string[] } | null;
}
