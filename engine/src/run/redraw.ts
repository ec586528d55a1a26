import type { EngineReference } from "../job/job.ts";
import type { PixelPicture } from "../picture/palette.ts";
import { drawStill } from "../sampler/draw.ts";
import type { OnStep } from "../sampler/flow.ts";
import { stepsToRun } from "../sampler/schedule.ts";
import { encodeReference } from "./references.ts";
import type { RunContext } from "./run-context.ts";

/** A reference kept at least this closely is taken as it is. */
export const KEPT_STRENGTH = 0.995;

/** A still that opens or paces a clip. */
export interface Keyframe {
  readonly latent: Float32Array;
  /** The picture that was given; null where it was redrawn. */
  readonly given: PixelPicture | null;
}

/**
 * The still of a reference that opens or paces a clip. Its strength says how closely it is kept: at 1 it is taken as it is,
 * below it is redrawn from the prompt with the rest (1 − strength) as denoising strength.
 */
export async function redrawnReference(
  context: RunContext,
  reference: EngineReference,
  place: { readonly number: number; readonly of: number },
): Promise<Keyframe> {
  const { model, job, frame, text, progress, previews } = context;
  const { latent, picture } = await encodeReference(context, reference);
  if (reference.strength >= KEPT_STRENGTH) return { latent, given: picture };
  const strength = 1 - reference.strength;
  const { seed, steps, guidance } = job;
  const running = stepsToRun(steps, strength);
  const onStep: OnStep = async (done, predicted) => {
    const share = (place.number - 1 + done / running) / place.of;
    progress.report("encode", share, `key frame ${place.number} of ${place.of}`);
    for (const picture of await previews.glimpse(predicted([0]))) previews.still(picture);
  };
  const initial = { latent, strength };
  const request = { grid: frame.grid, seed, steps, guidance, text, initial };
  return { latent: await drawStill(model.graphs, request, onStep), given: null };
}
