import { describe, expect, it } from "vitest";
import { importsOf, isTestFile } from "./sources.ts";

describe("importsOf", () => {
  it("finds every way to name a module, types included", () => {
    const text = `
      import a from "./default.ts";
      import type { B } from "./type.ts";
      import {} from "./empty.ts";
      import "./side.ts";
      export { c } from './named.ts';
      export type { D } from "./named-type.ts";
      export * from "./all.ts";
      const e = await import("./dynamic.ts");
      type F = import("./import-type.ts").F;
      type G = typeof import("./typeof.ts");`;
    expect(importsOf("a.ts", text).sort()).toEqual([
      "./all.ts",
      "./default.ts",
      "./dynamic.ts",
      "./empty.ts",
      "./import-type.ts",
      "./named-type.ts",
      "./named.ts",
      "./side.ts",
      "./type.ts",
      "./typeof.ts",
    ]);
  });

  it("is not misled by comments, strings and templates", () => {
    const text = [
      '// import "./a.ts"',
      "/* export * from './b.ts' */",
      "const c = `import d from './d.ts'`;",
      `const e = "import './e.ts'";`,
    ].join("\n");
    expect(importsOf("a.ts", text)).toEqual([]);
  });

  it("reads JSX in .tsx files", () => {
    expect(importsOf("a.tsx", 'import { B } from "./b.tsx"; export const c = <B a="import">from</B>;')).toEqual([
      "./b.tsx",
    ]);
  });

  it("refuses a text that does not parse", () => {
    expect(() => importsOf("a.ts", 'import { from "./b.ts"')).toThrow("a.ts does not parse");
  });
});

describe("isTestFile", () => {
  it.each([
    ["server/src/tasks/submit.test.ts", true],
    ["server/src/testing/server.ts", true],
    ["server/src/tasks/submit.ts", false],
    ["server/src/testing-ground.ts", false],
  ])("%s: %s", (path, expected) => expect(isTestFile(path)).toBe(expected));
});
