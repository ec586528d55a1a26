import { describe, expect, it } from "vitest";
import {
  findLayerViolations,
  type LayerRules,
  type PackageManifest,
  packageNameOf,
  repositoryRules,
} from "./layers.ts";
import type { SourceFile } from "./sources.ts";

const rules: LayerRules = {
  packages: {
    catalog: [],
    contract: ["catalog"],
    server: ["catalog", "contract"],
    web: ["contract"],
    e2e: ["server"],
    tools: ["contract"],
  },
  order: {
    server: [["errors"], ["database"], ["tasks"], ["dispatch"], ["http"]],
    web: [["api", "ui"], ["features/*"], ["app"]],
  },
  tools: ["tools"],
  developing: ["e2e", "tools"],
};

const manifests: PackageManifest[] = [
  { folder: "", name: "root", dependencies: ["vitest"] },
  { folder: "catalog", name: "@x/catalog", dependencies: [] },
  { folder: "contract", name: "@x/contract", dependencies: ["@x/catalog", "typebox"] },
  { folder: "server", name: "@x/server", dependencies: ["@x/catalog", "@x/contract"] },
  { folder: "web", name: "@x/web", dependencies: ["@x/contract", "react"] },
  { folder: "e2e", name: "@x/e2e", dependencies: ["@x/server"] },
];

function violations(path: string, ...imports: string[]): string[] {
  const source: SourceFile = { path, imports, isTest: path.includes(".test.") || path.includes("/testing/") };
  return findLayerViolations([source], manifests, rules);
}

describe("layers inside a package", () => {
  it("lets a folder import what stands left of it, and itself", () => {
    expect(violations("server/src/tasks/submit.ts", "../database/database.ts", "../errors.ts", "./record.ts")).toEqual(
      [],
    );
  });

  it("refuses what stands to the right", () => {
    expect(violations("server/src/tasks/submit.ts", "../http/routes.ts")).toEqual([
      "server/src/tasks/submit.ts: tasks imports http, which stands to its right (../http/routes.ts)",
    ]);
    expect(violations("server/src/errors.ts", "./database/deep/er.ts")).toHaveLength(1);
  });

  it("refuses a folder that stands in no layer", () => {
    expect(violations("server/src/stuff/a.ts")).toEqual([
      "server/src/stuff/a.ts: stands in no layer of server; add its folder to the order in scripts/check/layers.ts",
    ]);
  });

  it("keeps features and other neighbours apart", () => {
    expect(violations("web/src/features/studio/page.tsx", "../../api/query.ts", "../../ui/button.tsx")).toEqual([]);
    expect(violations("web/src/features/studio/page.tsx", "../gallery/grid.tsx")).toEqual([
      "web/src/features/studio/page.tsx: features/studio imports features/gallery, its neighbour (../gallery/grid.tsx)",
    ]);
    expect(violations("web/src/ui/button.tsx", "../api/query.ts")).toHaveLength(1);
    expect(violations("web/src/api/query.ts", "../app/routes.tsx")).toHaveLength(1);
  });

  it("lets tests import anything inside their package, and nothing else import tests", () => {
    expect(
      violations("server/src/tasks/submit.test.ts", "../http/routes.ts", "../testing/server.ts", "vitest"),
    ).toEqual([]);
    expect(violations("server/src/http/routes.ts", "../tasks/submit.test.ts")).toHaveLength(1);
    expect(violations("server/src/http/routes.ts", "../testing/server.ts")).toHaveLength(1);
  });
});

describe("layers between packages", () => {
  it("lets a package import what it may know, by name", () => {
    expect(violations("server/src/http/routes.ts", "@x/contract", "@x/catalog", "node:http")).toEqual([]);
  });

  it("refuses what it must not know, in tests too", () => {
    expect(violations("contract/src/routes.ts", "@x/server")).toEqual([
      "contract/src/routes.ts: contract imports @x/server, which it must not know",
    ]);
    expect(violations("catalog/src/read.test.ts", "@x/contract")).toHaveLength(1);
    expect(violations("web/src/api/a.ts", "@x/catalog")).toHaveLength(1);
  });

  it("refuses relative imports that leave the package, but for tools", () => {
    expect(violations("server/src/http/routes.ts", "../../../contract/src/routes.ts")).toEqual([
      "server/src/http/routes.ts: imports ../../../contract/src/routes.ts, which leaves its package; import the package by name",
    ]);
    expect(violations("tools/generate.ts", "../contract/src/routes.ts")).toEqual([]);
    expect(violations("tools/generate.ts", "../server/src/main.ts")).toHaveLength(1);
  });

  it("refuses packages that the manifest does not name; tests and tools may use the root's", () => {
    expect(violations("contract/src/routes.ts", "typebox/value")).toEqual([]);
    expect(violations("contract/src/routes.ts", "vitest")).toEqual([
      "contract/src/routes.ts: imports vitest, which its package.json does not name",
    ]);
    expect(violations("contract/src/routes.test.ts", "vitest")).toEqual([]);
    expect(violations("e2e/run.ts", "vitest")).toEqual([]);
    expect(violations("e2e/run.ts", "react")).toHaveLength(1);
  });

  it("refuses a folder without a rule", () => {
    expect(violations("misc/a.ts")).toHaveLength(1);
  });
});

it("keeps the three decisions of the layer order: http never calls dispatch's right, tasks never calls queue", () => {
  const units = (repositoryRules.order.server ?? []).flat();
  expect(units.indexOf("tasks")).toBeLessThan(units.indexOf("queue"));
  expect(units.indexOf("executors")).toBeLessThan(units.indexOf("dispatch"));
  expect(new Set(units).size).toBe(units.length);
});

it.each([
  ["@x/y/z.ts", "@x/y"],
  ["@x/y", "@x/y"],
  ["a/b/c", "a"],
  ["a", "a"],
])("packageNameOf %s is %s", (specifier, name) => expect(packageNameOf(specifier)).toBe(name));
