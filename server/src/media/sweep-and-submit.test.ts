// An upload that is about to expire while a task that names it is being submitted: either the task is refused, or it has its file.
import { setImmediate as nextTurn } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Core, openCore, requestFor, submit } from "../testing/core.ts";
import { picture } from "../testing/pictures.ts";
import { sweepUploads, uploadLifetime } from "./sweep-uploads.ts";
import { storeUpload, uploadName } from "./uploads.ts";

let core: Core;
beforeEach(async () => {
  core = await openCore();
});
afterEach(() => core.close());

async function after(turns: number): Promise<void> {
  for (let turn = 0; turn < turns; turn += 1) await nextTurn();
}

const isFileThere = async (name: string): Promise<boolean> => (await core.context.media.stat(name)) !== null;

async function countOf(sql: string, id: string): Promise<number> {
  return Number((await core.context.database.prepareRead(`SELECT count(*) AS count FROM ${sql}`).get(id))?.count);
}

async function outcomeOf(submitting: Promise<string>): Promise<string> {
  return submitting.then(
    () => "accepted",
    (error: { code: string }) => error.code,
  );
}

/** The first two rounds are no race: each of both is over once before the other begins. */
async function inTurn(
  round: number,
  submitting: () => Promise<string>,
  sweeping: () => Promise<unknown>,
): Promise<string> {
  if (round === 1) await sweeping();
  const submitted = submitting();
  if (round === 0) await submitted;
  if (round !== 1) await Promise.all([submitted, sweeping()]);
  return submitted;
}

test("the sweep takes an upload or the submit gets it, never half of each, whoever comes first", async () => {
  const seen = new Set<string>();
  for (let round = 0; round < 24; round += 1) {
    const bytes = await picture("png", { width: 64, height: 64 + round });
    const { upload } = await storeUpload(core.context, bytes, "image/png");
    core.clock.advance(uploadLifetime + 1);
    const request = requestFor({ mode: "img2img", reference_image: upload.id });
    const [late, early] = round % 2 === 0 ? [round / 2, 0] : [0, (round - 1) / 2];
    const submitLate = () => after(late).then(() => outcomeOf(submit(core, request)));
    const sweepEarly = () => after(early).then(() => sweepUploads(core.context));
    const outcome = await inTurn(round, submitLate, sweepEarly);
    seen.add(outcome);
    const records = await countOf("uploads WHERE id = ?", upload.id);
    const references = await countOf("task_references WHERE upload_id = ?", upload.id);
    const isThere = await isFileThere(uploadName(upload));
    expect([outcome, records, references, isThere]).toEqual(
      outcome === "accepted" ? ["accepted", 1, 1, true] : ["validation_failed", 0, 0, false],
    );
    // What was kept outlives later sweeps as long as its task does.
    core.clock.advance(uploadLifetime * 2);
    await sweepUploads(core.context);
    expect(await isFileThere(uploadName(upload))).toBe(outcome === "accepted");
  }
  expect([...seen].toSorted()).toEqual(["accepted", "validation_failed"]);
});

test("sent again while it is swept, a picture is there for the submit that follows", async () => {
  for (let round = 0; round < 16; round += 1) {
    const bytes = await picture("png", { width: 65, height: 64 + round });
    await storeUpload(core.context, bytes, "image/png");
    core.clock.advance(uploadLifetime + 1);
    const [{ upload }] = await Promise.all([
      after(round % 8).then(() => storeUpload(core.context, bytes, "image/png")),
      after(round < 8 ? 0 : 2).then(() => sweepUploads(core.context)),
    ]);
    await submit(core, requestFor({ mode: "img2img", reference_image: upload.id }));
    expect(await isFileThere(uploadName(upload))).toBe(true);
  }
});
