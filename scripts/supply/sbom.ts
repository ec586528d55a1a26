// A bill of materials in the form of CycloneDX, from the same lists as everything else: npm's own command reads the lock file another way
// and stops at our overrides.
import type { Inventory } from "./licence-list.ts";
import type { Package } from "./packages.ts";

/** CycloneDX 1.6 as a value for JSON. `at` is the time of the release; the same release has the same bill. */
export function billOfMaterials({ npm, python, page }: Inventory, version: string, at: Date): unknown {
  const inPage = new Set(page.map(purlOf));
  const components = new Map([...npm, ...page, ...python].map((one) => [purlOf(one), one]));
  const root = `pkg:generic/safelight@${version}`;
  return {
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      timestamp: at.toISOString(),
      component: {
        type: "application",
        "bom-ref": root,
        name: "safelight",
        version,
        licenses: [{ license: { id: "Apache-2.0" } }],
      },
    },
    components: [...components].map(([purl, one]) => ({
      type: "library",
      "bom-ref": purl,
      name: one.name,
      version: one.version,
      purl,
      scope: one.optional ? "optional" : "required",
      ...licencesOf(one.licence),
      ...(one.sha512 === null ? {} : { hashes: [{ alg: "SHA-512", content: one.sha512 }] }),
      properties: [{ name: "safelight:handed-out", value: inPage.has(purl) ? "in the page" : "no" }],
    })),
    dependencies: [{ ref: root, dependsOn: [...components.keys()] }],
  };
}

function purlOf({ ecosystem, name, version }: Package): string {
  const path = name.startsWith("@") ? `%40${name.slice(1)}` : name;
  return `pkg:${ecosystem}/${path}@${encodeURIComponent(version)}`;
}

function licencesOf(expression: string): object {
  if (expression === "unknown") return {};
  return /\s/.test(expression)
    ? { licenses: [{ expression: expression.replace(/^\((.*)\)$/, "$1") }] }
    : { licenses: [{ license: { id: expression } }] };
}
