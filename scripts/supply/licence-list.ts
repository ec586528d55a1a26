// docs/licences.md and THIRD-PARTY-LICENSES.md, made from the lock file, the lists of the Python worker and the packages' own texts.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type Package, pagePackages, productionPackages, pythonPackages, readLock } from "./packages.ts";
import pythonLicences from "./python-licences.json" with { type: "json" };

const pythonLists = [
  "worker/requirements.txt",
  "worker/requirements-cuda.txt",
  "deploy/modal-requirements.txt",
] as const;

export interface Inventory {
  /** What npm installs for use. */
  readonly npm: readonly Package[];
  /** What pip installs for the GPU worker and the modal command. */
  readonly python: readonly Package[];
  /** What stands inside the page that we build and hand out. */
  readonly page: readonly Package[];
}

export function readInventory(root: string): Inventory {
  const lock = readLock(root);
  const pins = pythonLists.flatMap((list) => pythonPackages(readFileSync(join(root, list), "utf8"), pythonLicences));
  const torch = /torch==([\w.]+)/.exec(readFileSync(join(root, "scripts/prepare.mjs"), "utf8"))?.[1] ?? "";
  const all = [...pins, ...pythonPackages(`torch==${torch}`, pythonLicences)];
  const python = [...new Map(all.map((one) => [`${one.name}@${one.version}`, one])).values()];
  python.sort((one, other) => (one.name < other.name ? -1 : 1));
  return { npm: productionPackages(lock), python, page: pagePackages(lock) };
}

/** docs/licences.md. */
export function licenceList({ npm, python, page }: Inventory): string {
  const handedOut = new Set(page.map(({ name }) => name));
  return `# Licences

Safelight is under Apache-2.0. This list is made by \`npm run generate\` from the lock files, and \`npm run check\` fails when it is out of date or when
a licence is not allowed (\`scripts/supply/licence-policy.ts\`).

A release holds our own files, the page that is built from them, and the weights of the miniature, which we have trained ourselves. So the
packages marked **page** stand inside what we hand out: their texts are in [THIRD-PARTY-LICENSES.md](../THIRD-PARTY-LICENSES.md), and nothing of GPL,
AGPL or LGPL is among them. Everything else is installed on your machine by npm or pip from their registries. Worth knowing:

- \`@img/sharp-libvips-…\` is libvips under the LGPL, a shared library in a file of its own that can be exchanged for another build.
- \`h264-mp4-encoder\` (MIT) holds minih264 (CC0) and mp4v2 (MPL-1.1) as WebAssembly.
- The wheels of \`av\` (BSD-3-Clause, GPU worker only) bring along libraries of FFmpeg that call themselves LGPL-3.0-or-later and are linked with
  x264 and x265, each in a file of its own (\`av.libs\`; seen in 18.1.0 for Linux on x86-64). These two are GPL-2.0-or-later. We hand none of it
  out; for an image that you build from the worker and give to others the terms of the GPL are to be kept.
- The wheels of numpy, scipy and torch hold run-time libraries of GCC (libgfortran, libquadmath, libgomp), under the GPL with the exception for
  such libraries and the LGPL.
- \`torch\` is pinned, what it asks pip for is not, and is neither below nor in the bill of materials: filelock, fsspec, jinja2, markupsafe, mpmath,
  networkx, setuptools and sympy, all under MIT or BSD-3-Clause. Builds for NVIDIA cards, which were not looked into, also fetch triton and
  libraries of NVIDIA, under NVIDIA's own terms.
- The ffmpeg that is used where one is installed is the system's own program.
- The weights of the large models have licences of their own; the page and \`GET /models\` name them.

## npm, ${npm.length} packages

| package | version | licence | |
|---|---|---|---|
${npm.map((one) => `| ${one.name} | ${one.version} | ${one.licence} | ${handedOut.has(one.name) ? "page" : one.optional ? "some platforms" : ""} |`).join("\n")}

## pip, for the GPU worker and the modal command, ${python.length} packages

| package | version | licence |
|---|---|---|
${python.map(({ name, version, licence }) => `| ${name} | ${version} | ${licence} |`).join("\n")}
`;
}

/** THIRD-PARTY-LICENSES.md: the texts that have to travel with the page. */
export function thirdPartyTexts(root: string, page: readonly Package[]): string {
  const parts = page
    .filter(({ name }) => !name.startsWith("@types/"))
    .map((one) => `## ${one.name} ${one.version} (${one.licence})\n\n\`\`\`text\n${licenceText(root, one)}\n\`\`\`\n`);
  return `# Third-party licences

The built page holds code and fonts of these packages. Made by \`npm run generate\`; the list of everything else is [docs/licences.md](docs/licences.md).
The source of mediabunny (MPL-2.0) is what its npm package holds, unchanged.

${parts.join("\n")}`;
}

function licenceText(root: string, { name }: Package): string {
  const folder = join(root, "node_modules", name);
  const file = readdirSync(folder).find((entry) => /^licen[cs]e(?:\.(?:md|txt))?$/i.test(entry));
  if (file === undefined) throw new Error(`${name} has no file with its licence`);
  const text = readFileSync(join(folder, file), "utf8").replaceAll("\r\n", "\n").trim();
  return text.replaceAll(/[ \t]+$/gm, "").replaceAll("```", "'''");
}
