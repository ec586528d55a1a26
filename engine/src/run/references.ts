import { EngineError } from "../job/errors.ts";
import type { EngineReference } from "../job/job.ts";
import { type PixelPicture, toPixelPictures } from "../picture/palette.ts";
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

/** A reference framed to the run's shape. */
export interface Encoded {
  readonly latent: Float32Array;
  /** In the palette's colours. */
  readonly picture: PixelPicture;
}

export async function encodeReference(context: RunContext, reference: EngineReference): Promise<Encoded> {
  const { model, frame } = context;
  const { rgb, cropped } = await frameReference(await readReference(reference.path), frame, model.palette);
  tellCrop(context, cropped);
  const [picture] = toPixelPictures(rgb, frame.grid, model.palette);
  if (!picture) throw new Error("a framed reference has no pixels");
  return { latent: await model.graphs.encode(rgb, frame.grid), picture };
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
