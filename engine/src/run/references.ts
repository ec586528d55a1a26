import { EngineError } from "../job/errors.ts";
import type { EngineReference } from "../job/job.ts";
import { coverOutput, frameReference, readReference } from "../picture/reference.ts";
import type { RunContext } from "./run-context.ts";

/** Share of a reference that may be cut off without a word. */
const CROP_WORTH_TELLING = 0.02;

/** References of a role in the order of their frames. Throws EngineError invalid_reference when there are too few. */
export function referencesOf(
  { job }: Pick<RunContext, "job">,
  role: EngineReference["role"],
  atLeast = 1,
): EngineReference[] {
  const found = job.references.filter((reference) => reference.role === role);
  if (found.length < atLeast) {
    throw new EngineError("invalid_reference", `The mode ${job.mode} needs a reference picture (${role}).`);
  }
  return found.toSorted((a, b) => a.frameIndex - b.frameIndex);
}

/** Latent of a reference, framed to the run's shape. */
export async function encodeReference(context: RunContext, reference: EngineReference): Promise<Float32Array> {
  const { model, frame } = context;
  const { rgb, cropped } = await frameReference(await readReference(reference.path), frame, model.palette);
  tellCrop(context, cropped);
  return model.graphs.encode(rgb, frame.grid);
}

/** A reference at output size, for runs that change nothing. */
export async function unchangedReference(context: RunContext, reference: EngineReference): Promise<Uint8Array> {
  const { width, height } = context.job;
  const { rgb, cropped } = await coverOutput(await readReference(reference.path), width, height);
  tellCrop(context, cropped);
  return rgb;
}

function tellCrop({ warn }: RunContext, cropped: number): void {
  if (cropped <= CROP_WORTH_TELLING) return;
  const percent = Math.round(cropped * 100);
  warn({ code: "reference_cropped", detail: `${percent} % of a reference picture was cut off to fit the size.` });
}
