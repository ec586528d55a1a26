/** A statement as the server takes it. */
export interface NumberedSql {
  readonly text: string;
  /** What it is kept under on each connection; absent for statements that are not kept. */
  readonly name?: string;
}

// Statements differ by their text only, and the text is ours; the bound is against generated filters that never repeat.
const mostKept = 500;
const known = new Map<string, NumberedSql>();

// A string, a quoted name, a comment to the end of the line, a comment in marks (which may nest), or a placeholder.
const parts = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*|\*\/|\?/g;

/** Writes `?` as `$1`, `$2`, …, but not inside strings, quoted names and comments. */
export function numberPlaceholders(sql: string): string {
  let count = 0;
  let depth = 0;
  return sql.replace(parts, (part) => {
    if (part === "/*") depth += 1;
    else if (part === "*/") depth = Math.max(0, depth - 1);
    if (part !== "?" || depth > 0) return part;
    count += 1;
    return `$${count}`;
  });
}

/**
 * What makes a statement of words. Kept under a name, the server plans it once for any words after a few calls, and then works out what is
 * wanted anew for every row it looks at.
 */
export const wantedWords = "words_wanted(";

/** The same statement gets the same name each time; searches, and what comes after the first 500, are not kept. */
export function numbered(sql: string): NumberedSql {
  const found = known.get(sql);
  if (found !== undefined) return found;
  const text = numberPlaceholders(sql);
  if (known.size >= mostKept || text.includes(wantedWords)) return { text };
  const made = { text, name: `s${known.size}` };
  known.set(sql, made);
  return made;
}
