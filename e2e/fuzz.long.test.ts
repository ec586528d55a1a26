// Every route asked at random, from the OpenAPI document alone, against a running server: no answer is our own fault, and every answer is
// one that the document names, in type, headers and form. The seed is fixed, so that a run can be repeated.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { serverEnvironment } from "./src/server-process.ts";

const repository = resolve(import.meta.dirname, "..");
const fuzzer = join(repository, ".venv-fuzz/bin/schemathesis");
const checks =
  "never_500,one_form,nobody_without_a_key,status_code_conformance,content_type_conformance," +
  "response_headers_conformance,response_schema_conformance,unsupported_method,allow_header_conformance";

interface Fuzzed {
  readonly url: string;
  readonly apiKey: string;
  readonly adminKey: string;
  readonly known: unknown;
}

let folder: string;
let child: ChildProcess;
let fuzzed: Fuzzed;
let logged = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "safelight-fuzz-"));
  child = spawn(process.execPath, [join(repository, "e2e/src/fuzzed-server.ts")], {
    cwd: repository,
    // No deploy gets further than its command.
    env: serverEnvironment(join(folder, "data"), { EMBEDDED_ENGINE: "off", MODAL_PYTHON: "/bin/false" }),
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (piece: Buffer) => (logged += piece.toString()));
  const ready = () => logged.split("\n").find((line) => line.startsWith('{"url"'));
  while (ready() === undefined && child.exitCode === null) await once(child.stdout as NodeJS.EventEmitter, "data");
  fuzzed = JSON.parse(ready() ?? logged) as Fuzzed;
});
afterAll(async () => {
  if (child.exitCode === null) {
    child.kill("SIGTERM");
    await once(child, "exit");
  }
  await rm(folder, { recursive: true, force: true });
});

/** Runs the fuzzer over some of the paths; answers what it printed where it found something. */
async function fuzz(flags: readonly string[], environment: Record<string, string> = {}): Promise<string> {
  const usual =
    `run ${join(repository, "contract/openapi.json")} --url ${fuzzed.url} --seed 20260301 --no-color --checks ${checks} ` +
    // The stream of everything never ends; it is asked below.
    "--exclude-path /events --generation-database none --continue-on-failure --request-timeout 30 " +
    "--suppress-health-check all --warnings off";
  const run = spawn(fuzzer, [...usual.split(" "), ...flags], {
    cwd: folder,
    env: {
      PATH: process.env["PATH"] ?? "",
      HOME: folder,
      PYTHONPATH: join(repository, "e2e/fuzz"),
      PYTHONHASHSEED: "0",
      PYTHONDONTWRITEBYTECODE: "1",
      SCHEMATHESIS_HOOKS: "safelight_fuzz",
      FUZZ_URL: fuzzed.url,
      FUZZ_API_KEY: fuzzed.apiKey,
      FUZZ_ADMIN_KEY: fuzzed.adminKey,
      FUZZ_KNOWN: JSON.stringify(fuzzed.known),
      ...environment,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let printed = "";
  for (const stream of [run.stdout, run.stderr]) stream.on("data", (piece: Buffer) => (printed += piece.toString()));
  const [code] = (await once(run, "close")) as [number | null];
  expect(printed).toMatch(/Test cases:/);
  return code === 0 ? "" : printed.slice(0, 20_000);
}

const secrets = "^/admin/(secrets|api-keys)";
// Its schema has a branch for every model and mode, out of which the fuzzer takes minutes to draw at random; every edge of every branch is
// asked by the cases that cover them, and by the catalog's own tests.
const generate = "^/generate";
const covering = ["--phases", "examples,coverage", "--max-examples", "5"];

describe("SC-005, SC-006: every route, asked at random", () => {
  test("without a credential", async () => {
    expect(await fuzz(covering, { FUZZ_WITHOUT_KEYS: "1" })).toBe("");
  });

  test("with an API key and an operator's session, at the edges, the destructive ones included", async () => {
    expect(await fuzz([...covering, "--exclude-path-regex", secrets])).toBe("");
  });

  test("with both, at random", async () => {
    const random = ["--phases", "fuzzing", "--max-examples", "25"];
    expect(await fuzz([...random, "--exclude-path-regex", `${secrets}|${generate}`])).toBe("");
  });

  test("one after the other, each with what the one before has answered", async () => {
    const linked = ["--phases", "stateful", "--max-examples", "10"];
    expect(await fuzz([...linked, "--exclude-path-regex", `${secrets}|${generate}`])).toBe("");
  });

  test("the stream of all events, with whatever may stand in its head", async () => {
    const ids = ["", "0", "-1", "99999999999999999999", "NaN", "1 OR 1=1", "%00", "\u00e9", "x".repeat(5000)];
    for (const id of ids) {
      const over = new AbortController();
      const headers = { "x-api-key": fuzzed.apiKey, "last-event-id": encodeURIComponent(id) };
      const answer = await fetch(`${fuzzed.url}/events`, { headers, signal: over.signal });
      expect([id, answer.status]).toEqual([id, 200]);
      expect(answer.headers.get("content-type")).toMatch(/^text\/event-stream/);
      over.abort();
    }
  });

  // Last, as it takes the keys away that the others come in with.
  test("the life of keys", async () => {
    expect(await fuzz([...covering, "--include-path-regex", secrets])).toBe("");
  });

  test("after all that the server is well, and has logged no fault of its own", async () => {
    const health = (await (await fetch(`${fuzzed.url}/health`)).json()) as { status: string };
    expect(health.status).toBe("ok");
    const faults = logged.split("\n").filter((line) => /"code":"internal"|nobody caught|unhandled/i.test(line));
    expect(faults).toEqual([]);
    expect(await readFile(join(folder, "data/server.json"), "utf8")).toContain(fuzzed.url);
  });
});
