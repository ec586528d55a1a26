// t2v and i2v: a still (drawn, or taken from the reference) and the loop of motion that follows from it.

import { toPixelPictures } from "../picture/palette.ts";
import { drawMotion, drawStill } from "../sampler/draw.ts";
import type { OnStep } from "../sampler/flow.ts";
import { joined } from "../sampler/latent.ts";
import { stepsToRun } from "../sampler/schedule.ts";
import { keepGiven } from "./kept-pictures.ts";
import { type Keyframe, redrawnReference } from "./redraw.ts";
import { referencesOf } from "./references.ts";
import { type Drawn, pixelsDrawn, type RunContext } from "./run-context.ts";
import { LOOP_DRAWINGS, loopPhases, loopSeconds } from "./timeline.ts";

/** Drawings shown in a preview of the motion: each costs a decoder run at every step. */
const PREVIEW_DRAWINGS = 4;

export async function drawClip(context: RunContext): Promise<Drawn> {
  const { model, job, frame, text, progress, previews } = context;
  const fromPicture = job.mode === "i2v";
  const still = fromPicture ? await stillFromReference(context) : await stillFromText(context);

  const shown = loopPhases(job.frames, job.fps, fromPicture ? job.strength : null);
  const phases = [...new Set(shown)].toSorted((a, b) => a - b);
  const sampled = spaced(phases.length);
  const onStep: OnStep = async (done, predicted) => {
    progress.step(done);
    if (done === progress.steps) return;
    previews.motion(await previews.glimpse(predicted(sampled)), loopSeconds(job.fps));
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
      // The still itself is drawn once more, in the style of the others: what they have in common with it does not move.
      moments: phases.map((phase) => ({ first: still.latent, last: null, phase: phase / LOOP_DRAWINGS })),
    },
    onStep,
  );
  progress.report("decode", 0);
  const latents = joined([motion, still.latent]);
  const pictures = toPixelPictures(await model.graphs.decode(latents, frame.grid), frame.grid, model.palette);
  const [rendered, decoded] = [pictures[0], pictures.at(-1)];
  if (!rendered || !decoded) throw new Error("the phases begin with the still");
  const loop = pictures
    .slice(0, phases.length)
    .map((drawing) => keepGiven(drawing, [{ rendered, given: still.given ?? decoded }]));
  previews.motion(loop, loopSeconds(job.fps));
  const place = new Map(phases.map((phase, index) => [phase, index]));
  return pixelsDrawn(
    loop,
    shown.map((phase) => place.get(phase) ?? 0),
  );
}

async function stillFromText({ model, job, frame, text, progress, previews }: RunContext): Promise<Keyframe> {
  const { seed, steps, guidance } = job;
  const onStep: OnStep = async (done, predicted) => {
    progress.report("encode", done / steps, `key frame ${done} of ${steps}`);
    for (const picture of await previews.glimpse(predicted([0]))) previews.still(picture);
  };
  const request = { grid: frame.grid, seed, steps, guidance, text, initial: null };
  return { latent: await drawStill(model.graphs, request, onStep), given: null };
}

async function stillFromReference(context: RunContext): Promise<Keyframe> {
  const [reference] = referencesOf(context, "first");
  if (!reference) throw new Error("checked above");
  return redrawnReference(context, reference, { number: 1, of: 1 });
}

/** Places of a few of so many drawings, evenly spread, the first among them. */
function spaced(drawings: number): number[] {
  const count = Math.min(PREVIEW_DRAWINGS, drawings);
  return Array.from({ length: count }, (_, index) => Math.floor((index * drawings) / count));
}
