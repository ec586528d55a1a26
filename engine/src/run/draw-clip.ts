// t2v and i2v: a still (drawn, or taken from the reference) and the loop of motion that follows from it.

import { toPixelPictures } from "../picture/palette.ts";
import { drawMotion, drawStill } from "../sampler/draw.ts";
import type { OnStep } from "../sampler/flow.ts";
import { joined } from "../sampler/latent.ts";
import { stepsToRun } from "../sampler/schedule.ts";
import { redrawnReference } from "./redraw.ts";
import { referencesOf } from "./references.ts";
import { type Drawn, pixelsDrawn, type RunContext } from "./run-context.ts";
import { LOOP_DRAWINGS, loopPhases, loopSeconds } from "./timeline.ts";

/** Drawings shown in a preview of the motion: each costs a decoder run at every step. */
const PREVIEW_DRAWINGS = 4;

export async function drawClip(context: RunContext): Promise<Drawn> {
  const { model, job, frame, text, progress, previews } = context;
  const fromPicture = job.mode === "i2v";
  const still = fromPicture ? await stillFromReference(context) : await stillFromText(context);
  const [opening] = await previews.glimpse(still);

  const shown = loopPhases(job.frames, job.fps, fromPicture ? job.strength : null);
  const phases = [...new Set(shown)].filter((phase) => phase !== 0).toSorted((a, b) => a - b);
  const sampled = spaced(phases, PREVIEW_DRAWINGS - 1);
  const onStep: OnStep = async (done, predicted) => {
    progress.step(done);
    if (done === progress.steps || !opening) return;
    const glimpses = await previews.glimpse(predicted(sampled));
    previews.motion([opening, ...glimpses], loopSeconds(job.fps));
  };
  const motion = await drawMotion(
    model.graphs,
    {
      grid: frame.grid,
      seed: job.seed,
      // A flow between two pictures cannot stop half way (its motion is whole pixels): the strength decides how many
      // steps it takes and, in the timeline, how lively the clip is.
      steps: stepsToRun(job.steps, job.strength),
      text,
      still,
      phases: phases.map((phase) => phase / LOOP_DRAWINGS),
    },
    onStep,
  );
  progress.report("decode", 0);
  const latents = joined([still, motion]);
  const pictures = toPixelPictures(await model.graphs.decode(latents, frame.grid), frame.grid, model.palette);
  previews.motion(pictures, loopSeconds(job.fps));
  const place = new Map(phases.map((phase, index) => [phase, index + 1]));
  return pixelsDrawn(
    pictures,
    shown.map((phase) => place.get(phase) ?? 0),
  );
}

async function stillFromText({ model, job, frame, text, progress, previews }: RunContext): Promise<Float32Array> {
  const { seed, steps, guidance } = job;
  const onStep: OnStep = async (done, predicted) => {
    progress.report("encode", done / steps, `key frame ${done} of ${steps}`);
    for (const picture of await previews.glimpse(predicted([0]))) previews.still(picture);
  };
  return drawStill(model.graphs, { grid: frame.grid, seed, steps, guidance, text, initial: null }, onStep);
}

async function stillFromReference(context: RunContext): Promise<Float32Array> {
  const [reference] = referencesOf(context, "first");
  if (!reference) throw new Error("checked above");
  return redrawnReference(context, reference, { number: 1, of: 1 });
}

/** Up to `count` places of a list, evenly spread. */
function spaced(list: readonly unknown[], count: number): number[] {
  const wanted = Math.min(count, list.length);
  return Array.from({ length: wanted }, (_, index) => Math.floor(((index + 1) * list.length) / (wanted + 1)));
}
