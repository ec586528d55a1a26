// Garbage, and requests that the catalog refuses: each has its code, and nothing is started.

import { catalog } from "@safelight/catalog";
import type { WorkerErrorCode, WorkerTaskRequest } from "@safelight/contract/worker";
import type { Bench } from "../bench.ts";
import type { Check } from "../check.ts";
import { must, mustRefuse } from "../probe.ts";

const garbage: Check = {
  name: "refusals: bodies that are no task",
  run: async (bench) => {
    const json = { "content-type": "application/json" };
    const send = (body: string | Uint8Array, headers: Record<string, string> = json) =>
      bench.probe.ask("createTask", { body, headers, within: 30 });
    for (const body of ["", "{", "not json", '{"task_id":', "\u0000", '{"a":1}}']) {
      mustRefuse(await send(body), "malformed_json");
    }
    for (const body of ["[]", "null", "7", '"text"', "{}"]) mustRefuse(await send(body), "validation_failed");
    const whole = JSON.stringify(bench.request(bench.pairFor()));
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]) {
      mustRefuse(await send(whole, { "content-type": type }), "unsupported_media_type");
    }
    const packed = { ...json, "content-encoding": "gzip" };
    mustRefuse(await send(whole, packed), "unsupported_media_type");
    mustRefuse(await send(`${whole.slice(0, -1)},"x":"${"y".repeat(1100 * 1024)}"}`), "payload_too_large");
    await bench.mustBeIdle();
    return "16 bodies";
  },
};

interface Refused {
  readonly change: Readonly<Record<string, unknown>>;
  readonly code: WorkerErrorCode;
  readonly field: string;
}

/** Changes to a good request of this pair, with the field that has to be named. */
function refusedFor(request: WorkerTaskRequest): Refused[] {
  const fields = (code: WorkerErrorCode, list: readonly [string, unknown][]): Refused[] =>
    list.map(([field, value]) => ({ change: { [field]: value }, code, field }));
  const inParameters = (name: string, value: unknown, code: WorkerErrorCode = "validation_failed"): Refused => ({
    change: { parameters: { ...request.parameters, [name]: value } },
    code,
    field: `parameters.${name}`,
  });
  const model = catalog.models.find(({ id }) => id === request.model);
  const locked = model?.parameters.filter((one) => one.locked && typeof one.default === "number") ?? [];
  return [
    ...fields("validation_failed", [
      ["task_id", undefined],
      ["task_id", "../../etc/passwd"],
      ["task_id", 5],
      ["attempt", 0],
      ["attempt", 1.5],
      ["attempt", "1"],
      ["seed", -1],
      ["seed", 2 ** 31],
      ["seed", "7"],
      ["deadline_s", 0],
      ["deadline_s", -5],
      ["deadline_s", "soon"],
      ["prompt", ""],
      ["prompt", null],
      ["negative_prompt", undefined],
      ["parameters", []],
      ["parameters", undefined],
      ["media", "none"],
      ["media", undefined],
    ]),
    ...fields("unknown_model", [["model", "atlantis"]]),
    ...fields("unsupported_mode", [["mode", "smell"]]),
    inParameters("colour", "red"),
    inParameters("width", 500),
    inParameters("width", 513),
    inParameters("width", 100_000),
    inParameters("width", "512"),
    inParameters("output_format", "exe"),
    inParameters("seed", 4),
    inParameters("prompt", "another"),
    ...locked.map(({ name, default: value }) => inParameters(name, Number(value) + 1, "parameter_locked")),
  ];
}

const invalid: Check = {
  name: "refusals: requests that do not fit",
  run: async (bench) => {
    let count = 0;
    for (const type of bench.types) {
      const request = bench.request(bench.pairFor(type));
      if (request.media.length > 0) await bench.putMedia();
      for (const refused of refusedFor(request)) {
        await mustBeRefused(bench, request, refused);
        count += 1;
      }
    }
    await bench.mustBeIdle();
    return `${count} requests`;
  },
};

async function mustBeRefused(
  bench: Bench,
  request: WorkerTaskRequest,
  { change, code, field }: Refused,
): Promise<void> {
  const answer = await bench.post({ ...request, ...change });
  const what = `a task with ${JSON.stringify(change).slice(0, 100)}`;
  must(answer.status >= 400, `${what} was accepted (${answer.status})`);
  const problem = mustRefuse(answer, code);
  const named = (problem.errors ?? []).map((one) => one.field);
  must(
    named.some((name) => name === field || name.startsWith(field)),
    `${what} was refused, but errors name ${named.join(", ") || "nothing"} instead of ${field}`,
  );
  const { task_id: id } = request;
  mustRefuse(await bench.probe.ask("getTask", { path: { id } }), "task_not_found");
}

export const refusalChecks: readonly Check[] = [garbage, invalid];
