import { expect, it } from "vitest";
import { leaksIn } from "./leaks.ts";

// Put together at run time, so that this file itself stays clean.
const join = (...parts: string[]) => parts.join("");

it.each([
  ["a registry's address", join("https://", "registry.", "npmjs.org/x")],
  ["a private registry's address", join("http://", "registry.", "corp.internal:4873")],
  ["a resolved address in a lock file", join('"resolved": "', "https://example.org/a.tgz", '"')],
  ["a registry setting", join("registry", "=https://example.org")],
  ["a scoped registry setting", join("@acme:", "registry", "=https://example.org")],
  ["a home folder", join("see ", "/home", "/ann/safelight")],
  ["the home of root", join('"', "/root", '/.cache"')],
  ["a home folder on a Mac", join("/Users", "/ann/x")],
  ["a work folder", join("(", "/work", "/main)")],
  ["a home folder on Windows", join("C:", "\\Users", "\\ann")],
])("finds %s", (_, text) => {
  expect(leaksIn(`first line\n${text}`)).toEqual([expect.stringMatching(/^2: /)]);
});

it.each([
  "const registry = openRegistry(); registry.account.find(id)",
  "https://example.org/home/page",
  "route /homework/x, worker/src/work/a.ts, ~/home/x",
  '"resolved": true',
  "the network registry",
])("lets pass: %s", (text) => {
  expect(leaksIn(text)).toEqual([]);
});
