import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { postgresDialect } from "./dialect.ts";
import { numbered, numberPlaceholders } from "./placeholders.ts";

describe("placeholders", () => {
  test.each([
    ["SELECT ?", "SELECT $1"],
    ["? ? ?", "$1 $2 $3"],
    ["a = ? AND b = '?' AND c = ?", "a = $1 AND b = '?' AND c = $2"],
    ["'it''s ?' || ?", "'it''s ?' || $1"],
    [`"a?" = ?`, `"a?" = $1`],
    [`"a""?" = ?`, `"a""?" = $1`],
    ["1 -- why?\n+ ?", "1 -- why?\n+ $1"],
    ["/* ? */ ?", "/* ? */ $1"],
    ["/* ? /* ? */ ? */ ?", "/* ? /* ? */ ? */ $1"],
    ["'-- ' || ? -- ?", "'-- ' || $1 -- ?"],
    ["'/*' || ? || '*/'", "'/*' || $1 || '*/'"],
  ])("%s", (sql, expected) => {
    expect(numberPlaceholders(sql)).toBe(expected);
  });

  test("whatever stands in a text is left as it is", () => {
    const text = fc.string().map((value) => `'${value.replaceAll("'", "''")}'`);
    fc.assert(
      fc.property(text, text, (one, other) => {
        expect(numberPlaceholders(`${one} || ? || ${other} || ?`)).toBe(`${one} || $1 || ${other} || $2`);
      }),
      { seed: 9, numRuns: 300 },
    );
  });

  test("one text has one name, and another text another one", () => {
    expect(numbered("SELECT 1, ?")).toBe(numbered("SELECT 1, ?"));
    expect(numbered("SELECT 1, ?").name).not.toBe(numbered("SELECT 2, ?").name);
  });

  test("a search has no name: what is wanted is worked out once for each, not for every row", () => {
    const search = `SELECT sequence FROM found WHERE ${postgresDialect.search.matches("gallery_search")}`;
    expect(numbered(search)).toEqual({ text: expect.stringContaining("words_wanted($1, TRUE)") });
  });
});
