import { readFile } from "node:fs/promises";
import { Status, taskErrorCodes } from "@safelight/contract";
import { type WorkerTask, workerTaskErrorCodes } from "@safelight/contract/worker";
import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import { describeInside } from "./describe-inside.ts";

const golden = async (name: string): Promise<WorkerTask> =>
  JSON.parse(
    await readFile(new URL(`../../../contract/examples/worker/worker-task.${name}.json`, import.meta.url), "utf8"),
  ) as WorkerTask;
const [running, succeeded, failed] = await Promise.all([golden("running"), golden("succeeded"), golden("failed")]);
const now = Date.parse("2030-01-01T00:00:00.000Z");
const view = { workspace: "attic-gpu", publicBaseUrl: "", now };
const fits = new Ajv({ strict: false, validateFormats: false }).compile(Status);

describe("a worker's answer in the shape of /status", () => {
  test.each([
    ["running", running],
    ["succeeded", succeeded],
    ["failed", failed],
  ])("fits the contract when %s", (_state, task) => {
    const status = describeInside(task, view);
    expect(fits(status), JSON.stringify(fits.errors)).toBe(true);
    expect(Object.keys(status).sort()).toEqual(Object.keys(Status.properties).sort());
  });

  test("every code of a failure is one of ours", () => {
    for (const code of Object.keys(workerTaskErrorCodes) as (keyof typeof workerTaskErrorCodes)[]) {
      const status = describeInside({ ...failed, error: { code, detail: "So it was.", retryable: true } }, view);
      expect(Object.keys(taskErrorCodes), code).toContain(status.error?.code);
      expect(status).toMatchObject({ error: { detail: "So it was." }, error_msg: "So it was.", status: "failed" });
      expect(status.error?.user_action).not.toBe("");
    }
  });

  test("addresses lead back inside, absolute where the installation's are", () => {
    const address = `attic-gpu::${succeeded.task_id}`;
    const status = describeInside(
      { ...succeeded, preview_version: 3 },
      { ...view, publicBaseUrl: "https://x.example" },
    );
    expect(status).toMatchObject({
      task_id: address,
      result_url: `https://x.example/results/${address}`,
      preview_url: `https://x.example/preview/${address}?v=3`,
    });
    expect(describeInside({ ...running, preview_version: 0 }, view)).toMatchObject({
      result_url: null,
      preview_url: null,
    });
  });

  test("times are UTC in our own writing; a running task has changed just now, an ended one when it ended", () => {
    const task = { ...running, accepted_at: "2026-03-01T13:00:00+01:00" };
    expect(describeInside(task, view)).toMatchObject({
      created_at: "2026-03-01T12:00:00.000Z",
      started_at: "2026-03-01T12:00:00.000Z",
      updated_at: "2030-01-01T00:00:00.000Z",
      finished_at: null,
    });
    const status = describeInside(succeeded, view);
    expect(status.updated_at).toBe(status.finished_at);
  });

  test("an alias is told as the model it stands for; a seed that is not told is -1", () => {
    const { seed: _, ...silent } = succeeded;
    expect(describeInside({ ...silent, model: "wan-remix", mode: "t2v" }, view)).toMatchObject({
      model: "phr00t",
      type: "video",
      seed: -1,
    });
  });

  test("what else a worker says along stays out", () => {
    const notice = { code: "no_effect", detail: "It has none.", secret: "x", parameter: "sampler" };
    const status = describeInside({ ...succeeded, warnings: [notice], extra: "x" } as WorkerTask, view);
    expect(status.warnings).toEqual([{ code: "no_effect", detail: "It has none.", parameter: "sampler" }]);
    expect(JSON.stringify(status)).not.toContain('"x"');
  });

  test.each([
    ["a model of its own", { model: "nothing-we-know" }],
    ["a beginning that is none", { accepted_at: "soon" }],
    ["an end that is none", { ended_at: null }],
  ])("%s cannot be told", (_what, change) => {
    expect(() => describeInside({ ...succeeded, ...change }, view)).toThrow(
      expect.objectContaining({ kind: "broken_protocol" }),
    );
  });
});
