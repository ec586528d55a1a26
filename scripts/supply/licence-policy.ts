// Which licences may be among what people install, and which inside the files that we hand out.
import type { Package } from "./packages.ts";

/** Licences that ask for a notice and no more, or, MPL, for the source of their own files. */
const free = new Set(
  (
    "0BSD Apache-2.0 BlueOak-1.0.0 BSD-2-Clause BSD-3-Clause BSL-1.0 CC0-1.0 CNRI-Python HPND ISC " +
    "MIT MIT-CMU MPL-2.0 OFL-1.1 PSF-2.0 Python-2.0 Unlicense Zlib"
  ).split(" "),
);

/**
 * Packages under the LGPL that are installed beside us and never handed out by us: libvips, a library of its own file that anybody may
 * exchange for another build.
 */
const exchangeable = /^@img\/sharp-(?:libvips-|win32-|wasm32$|webcontainers-wasm32$)/;

/** What is wrong with the licences; `handedOut` are those whose code stands inside our own files. */
export function findLicenceProblems(installed: readonly Package[], handedOut: readonly Package[]): string[] {
  const ours = handedOut.flatMap((one) =>
    problemOf(one, (licence) => free.has(licence), "and stands inside what we hand out"),
  );
  const beside = installed.flatMap((one) =>
    problemOf(
      one,
      (licence) => free.has(licence) || (licence.startsWith("LGPL-") && exchangeable.test(one.name)),
      "which is not on the list",
    ),
  );
  return [...new Set([...ours, ...beside])];
}

function problemOf(one: Package, allows: (licence: string) => boolean, complaint: string): string[] {
  if (isAllowed(one.licence, allows)) return [];
  return [`${one.name} ${one.version} is under ${one.licence}, ${complaint}`];
}

/** Of "A OR B" one must do, of "A AND B" both; exceptions only give more. */
export function isAllowed(expression: string, allows: (licence: string) => boolean): boolean {
  const plain = expression.replace(/^\((.*)\)$/, "$1");
  if (/[()]/.test(plain)) return false;
  return plain
    .split(" OR ")
    .some((choice) => choice.split(" AND ").every((part) => allows(part.trim().replace(/ WITH .*$/, ""))));
}
