// The files of deploy/ for more than one gateway, judged: by the schemas of their formats, and by what this product needs of them.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Ajv, type ErrorObject, type ValidateFunction } from "ajv";
import addFormats from "ajv-formats";
import { parseAllDocuments } from "yaml";

const read = createRequire(import.meta.url);

/** A parsed document; what is in it is looked at by `at`. */
export type Tree = Readonly<Record<string, unknown>>;

/** All documents of a YAML file, anchors and merges resolved. Throws on anything that YAML itself refuses or warns of. */
export function parseYaml(text: string): Tree[] {
  return parseAllDocuments(text, { merge: true, uniqueKeys: true, strict: true }).map((document) => {
    const [problem] = [...document.errors, ...document.warnings];
    if (problem !== undefined) throw problem;
    return document.toJS() as Tree;
  });
}

/** What lies at a path such as `spec.template.spec.containers.0`; undefined where the path ends earlier. */
export function at(tree: unknown, path: string): unknown {
  return path.split(".").reduce<unknown>((part, name) => {
    return typeof part === "object" && part !== null ? (part as Tree)[name] : undefined;
  }, tree);
}

let compose: ValidateFunction | undefined;

/** By the Compose Specification's own schema. */
export function findComposeProblems(tree: Tree): string[] {
  const file = join(dirname(read.resolve("dclint/package.json")), "schemas/compose.schema.json");
  // It names its own language by an address that is not the one that the language gives itself.
  compose ??= createAjv().compile({ ...(read(file) as object), $schema: "http://json-schema.org/draft-07/schema#" });
  return problemsOf(compose, tree);
}

interface KubernetesSchemas {
  readonly kinds: Readonly<Record<string, object>>;
  readonly $defs: object;
}

const kinds = new Map<string, ValidateFunction>();

/** By the schemas of Kubernetes, in which a field that no version knows is an error. */
export function findKubernetesProblems(tree: Tree): string[] {
  const kind = `${String(tree["apiVersion"])}/${String(tree["kind"])}`;
  const schemas = read("./kubernetes-schemas.json") as KubernetesSchemas;
  const schema = schemas.kinds[kind];
  if (schema === undefined) return [`${kind} is no kind that these files have`];
  const validate = kinds.get(kind) ?? createAjv().compile({ ...schema, $defs: schemas.$defs });
  kinds.set(kind, validate);
  return problemsOf(validate, tree);
}

function createAjv(): Ajv {
  const ajv = new Ajv({ allErrors: true, strict: false, formats: kubernetesFormats });
  addFormats.default(ajv, ["duration", "date-time", "byte", "int32", "int64", "double"]);
  return ajv;
}

/** Words of these schemas for texts of any form. */
const kubernetesFormats = { "int-or-string": true, subnet_ip_address: true, ports: true, expose: true } as const;

function problemsOf(validate: ValidateFunction, tree: Tree): string[] {
  return validate(tree) === true ? [] : (validate.errors ?? []).map(describeProblem);
}

function describeProblem({ instancePath, message, params }: ErrorObject): string {
  const more = "additionalProperty" in params ? ` (${String(params["additionalProperty"])})` : "";
  return `${instancePath}: ${message ?? "is wrong"}${more}`;
}

/** Seconds of `1m30s`, `30s`, `500ms`. */
export function secondsOf(text: unknown): number {
  const units: Readonly<Record<string, number>> = { h: 3600, m: 60, s: 1, ms: 0.001 };
  const parts = [...String(text).matchAll(/(\d+)(ms|h|m|s)/g)];
  return parts.reduce((sum, [, number, unit = ""]) => sum + Number(number) * (units[unit] ?? Number.NaN), 0);
}
