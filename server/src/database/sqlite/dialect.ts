import type { Dialect } from "../dialect.ts";

/** Stands before a fact in the search tables; nobody can type it. Taken out of prompts by the triggers. */
const mark = "\ue000";

export const sqliteDialect: Dialect = {
  // Without statistics SQLite cannot know which index is narrow, and with them its choice would change over time.
  through: (index) => ` INDEXED BY ${index}`,
  // Nobody else writes meanwhile.
  picking: () => "",
  textsOfJson: "SELECT value FROM json_each(?)",
  bytesOf: (text) => `CAST(${text} AS BLOB)`,
  prunesAudit: false,
  search: {
    newestApart: true,
    sequence: "rowid",
    matches: (table) => `found.${table} MATCH ?`,
    expression: ({ words, facts, without }) => {
      const marked = (fact: string) => `"${mark}${fact}"`;
      // What is rarer leads: the index steps through the first and leaps through the others.
      const all = [...facts.map(marked), ...words.map((word) => `"${word}"*`)].join(" AND ");
      return without.length === 0 ? all : `(${all}) NOT ${without.map(marked).join(" NOT ")}`;
    },
  },
};
