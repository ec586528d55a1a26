import type { Dialect } from "../dialect.ts";
import { wantedWords } from "./placeholders.ts";

export const postgresDialect: Dialect = {
  // It keeps statistics of its own and chooses by them.
  through: () => "",
  picking: (table) => ` FOR UPDATE OF ${table} SKIP LOCKED`,
  textsOfJson: "SELECT jsonb_array_elements_text(CAST(? AS JSONB)) AS value",
  bytesOf: (text) => `convert_to(${text}, 'UTF8')`,
  prunesAudit: true,
  search: {
    newestApart: false,
    sequence: "sequence",
    // Both tables are one, in which those that are done are marked.
    matches: (table) => `found.words @@ ${wantedWords}?, ${table === "gallery_search" ? "TRUE" : "FALSE"})`,
    expression: (wanted) => JSON.stringify(wanted),
  },
};
