import type { Dialect } from "./seam.ts";

export const postgresDialect: Dialect = {
  // It keeps statistics of its own and chooses by them.
  indexedBy: () => "",
  isOneOf: (expression) => `${expression} IN (SELECT jsonb_array_elements_text(CAST(? AS jsonb)))`,
  hasWords: (words) => ({
    condition: "sequence IN (SELECT task_words.sequence FROM task_words WHERE task_words.words @@ words_wanted(?))",
    values: [words],
  }),
  bytesOf: (text) => `convert_to(${text}, 'UTF8')`,
};
