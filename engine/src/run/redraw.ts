import type { EngineReference } from "../job/job.ts";
import { drawStill } from "../sampler/draw.ts";
import type { OnStep } from "../sampler/flow.ts";
import { stepsToRun } from "../sampler/schedule.ts";
import { encodeReference } from "./references.ts";
import type { RunContext } from "./run-context.ts";

/** A reference kept at least this closely is taken as it is. */
export const KEPT_STRENGTH = 0.995;

/**
 * Latent of a reference that opens or paces a clip. Its strength says how closely it is kept: at 1 it is taken as it is,
 * below it is redrawn from the prompt with the rest (1 − strength) as denoising strength.
 */
export async function redrawnReference(
  context: RunContext,
  reference: EngineReference,
  place: { readonly number: number; readonly of: number },
): Promise<Float32Array> {
  const { model, job, frame, text, progress, previews } = context;
  const latent = await encodeReference(context, reference);
  if (reference.strength >= KEPT_STRENGTH) return latent;
  const strength = 1 - reference.strength;
  const { seed, steps, guidance } = job;
  const running = stepsToRun(steps, strength);
  const onStep: OnStep = async (done, predicted) => {
    const share = (place.number - 1 + done / running) / place.of;
    progress.report("encode", share / 2, `key frame ${place.number} of ${place.of}`);
    for (const picture of await previews.glimpse(predicted([0]))) previews.still(picture);
  };
  const initial = { latent, strength };
  return drawStill(model.graphs, { grid: frame.grid, seed, steps, guidance, text, initial }, onStep);
}
