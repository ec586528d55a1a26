import { describe, expect, it } from "vitest";
import { findSlowPatterns, patternsIn } from "./patterns.ts";

const judge = (text: string, allowed = {}) => findSlowPatterns(patternsIn("a.ts", text).patterns, allowed);

describe("patternsIn", () => {
  it("finds literals, patterns of schemas, strings that are named so, and those built at run time", () => {
    const text = `
      const a = /x+/giu; const namePattern = "^[a-z]+$"; const schema = { pattern: "y" };
      const made = new RegExp(namePattern); const other = new RegExp("z"); const built = new RegExp(\`^\${a}$\`);`;
    const { patterns, built } = patternsIn("a.ts", text);
    expect(patterns.map(({ source }) => source).sort()).toEqual(["^[a-z]+$", "x+", "y", "z"]);
    expect(built).toEqual([expect.stringContaining("run time")]);
  });
});

describe("findSlowPatterns", () => {
  it.each([
    "const a = /^(a+)+$/;",
    "const a = /^a*a*a*b/;",
    'const a = { pattern: "^(?:x+y?)+$" };',
    'const valuePattern = "^(\\\\w+\\\\s?)+$";',
  ])("names %s", (text) => {
    expect(judge(text)).toEqual([expect.stringMatching(/^a\.ts: .* slow/)]);
  });

  it.each([
    "const a = /^[a-z]+(?:-[a-z]+)*$/;",
    "const a = /\\\\d{1,3}:\\\\w+/iu;",
    'const a = { pattern: "^sha256-[0-9a-f]{64}$" };',
  ])("lets %s pass", (text) => {
    expect(judge(text)).toEqual([]);
  });

  it("lets exceptions pass that have a reason, and names those that nobody needs", () => {
    expect(judge("const a = /^(a+)+$/;", { "^(a+)+$": "short" })).toEqual([]);
    expect(judge("const a = /a/;", { "^(a+)+$": "short" })).toEqual([
      "the exception for ^(a+)+$ is not needed any more",
    ]);
  });
});
