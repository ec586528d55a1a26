// first_last_frame and arbitrary_frame: each keyframe is set in motion, neighbours are cross-faded as latents, and the
// middle of each turn is redrawn from the prompt so that it becomes a picture again rather than two half ones.

import type { EngineReference } from "../job/job.ts";
import { gaussianNoise } from "../noise/noise.ts";
import { toPixelPictures } from "../picture/palette.ts";
import { drawMotion } from "../sampler/draw.ts";
import { type OnStep, runFlow } from "../sampler/flow.ts";
import { blended, joined, latentAt, latentLength } from "../sampler/latent.ts";
import { PICTURE_POWER } from "../sampler/schedule.ts";
import { redrawnReference } from "./redraw.ts";
import { referencesOf } from "./references.ts";
import { type Drawn, pixelsDrawn, type RunContext } from "./run-context.ts";
import { LOOP_DRAWINGS, type Passage, passages } from "./timeline.ts";

/** Denoising strength in the middle of a turn, and the job's strength at which it has this value. */
const MIDDLE_STRENGTH = 0.55;
const NOMINAL_STRENGTH = 0.7;
const LARGEST_MIDDLE_STRENGTH = 0.8;
/** A redraw weaker than this changes nothing worth its steps. */
const WEAKEST_REDRAW = 0.15;
const PREVIEW_DRAWINGS = 4;

export async function drawPassages(context: RunContext): Promise<Drawn> {
  const { model, job, frame, progress, previews } = context;
  const keyframes = keyframesOf(context);
  const stills: Float32Array[] = [];
  for (const [index, { reference }] of keyframes.entries()) {
    stills.push(await redrawnReference(context, reference, { number: index + 1, of: keyframes.length }));
  }
  const { drawings, order } = passages(
    job.frames,
    job.fps,
    keyframes.map(({ place }) => place),
  );
  const loops = await animate(context, stills, drawings);
  const drawn = drawings.map((drawing) => compose(drawing, loops));
  const redraws = drawings.flatMap((drawing, number) => {
    const strength = middleStrength(context) * Math.sin(Math.PI * drawing.share);
    return drawing.to && strength >= WEAKEST_REDRAW ? [{ number, strength }] : [];
  });
  await redraw(context, drawn, redraws);
  progress.report("decode", 0);
  const rgb = await model.graphs.decode(joined(drawn), frame.grid);
  const pictures = toPixelPictures(rgb, frame.grid, model.palette);
  previews.motion(pictures, job.frames / job.fps);
  return pixelsDrawn(pictures, order);
}

function keyframesOf(context: RunContext): { reference: EngineReference; place: number }[] {
  if (context.job.mode === "arbitrary_frame") {
    return referencesOf(context, "keyframe", 2).map((reference) => ({ reference, place: reference.frameIndex }));
  }
  const [first] = referencesOf(context, "first");
  const [last] = referencesOf(context, "last");
  if (!first || !last) throw new Error("checked above");
  return [
    { reference: first, place: 0 },
    { reference: last, place: context.job.frames - 1 },
  ];
}

function middleStrength({ job }: RunContext): number {
  if (job.mode !== "arbitrary_frame") return MIDDLE_STRENGTH;
  return Math.min(LARGEST_MIDDLE_STRENGTH, (MIDDLE_STRENGTH * job.strength) / NOMINAL_STRENGTH);
}

/** For each keyframe the latents of the phases that the drawings need of it. */
async function animate(
  context: RunContext,
  stills: readonly Float32Array[],
  drawings: readonly Passage[],
): Promise<Map<number, Float32Array>[]> {
  const { model, job, frame, text, progress, previews } = context;
  const needed = stills.map(() => new Set<number>());
  for (const { from, to } of drawings) {
    needed[from.keyframe]?.add(from.phase);
    if (to) needed[to.keyframe]?.add(to.phase);
  }
  const loops: Map<number, Float32Array>[] = [];
  for (const [index, still] of stills.entries()) {
    const phases = [...(needed[index] ?? [])].filter((phase) => phase !== 0).toSorted((a, b) => a - b);
    const onStep: OnStep = async (done, predicted) => {
      const share = (index + done / job.steps) / stills.length;
      progress.report("encode", 0.5 + share / 2, `motion of key frame ${index + 1} of ${stills.length}`);
      const glimpses = await previews.glimpse(joined([still, predicted([Math.floor(phases.length / 2)])]));
      previews.motion(glimpses, 1);
    };
    const request = { grid: frame.grid, seed: job.seed, steps: job.steps, text, still };
    const placed = phases.map((phase) => phase / LOOP_DRAWINGS);
    const moved = phases.length > 0 ? await drawMotion(model.graphs, { ...request, phases: placed }, onStep) : still;
    const loop = new Map(phases.map((phase, row) => [phase, latentAt(moved, row, still.length)]));
    loops.push(loop.set(0, still));
  }
  return loops;
}

function compose(drawing: Passage, loops: readonly Map<number, Float32Array>[]): Float32Array {
  const at = ({ keyframe, phase }: { keyframe: number; phase: number }) => {
    const latent = loops[keyframe]?.get(phase);
    if (!latent) throw new Error("a drawing asks for a phase that was not drawn");
    return latent;
  };
  if (!drawing.to) return at(drawing.from);
  const { share } = drawing;
  // Slow at both ends: a keyframe is left and reached gently.
  return blended(at(drawing.from), at(drawing.to), share * share * (3 - 2 * share));
}

/** Redraws some of the drawings in place, all in the same steps. */
async function redraw(
  context: RunContext,
  drawn: Float32Array[],
  redraws: readonly { readonly number: number; readonly strength: number }[],
): Promise<void> {
  const { model, job, frame, text, progress, previews } = context;
  const length = latentLength(frame.grid);
  if (redraws.length === 0) {
    progress.step(progress.steps);
    return;
  }
  const noise = gaussianNoise(job.seed, length);
  const start = redraws.map(({ number, strength }) =>
    blended(noise, drawn[number] ?? noise, (1 - strength) ** PICTURE_POWER),
  );
  const sampled = Array.from({ length: PREVIEW_DRAWINGS }, (_, index) =>
    Math.floor((index * (drawn.length - 1)) / (PREVIEW_DRAWINGS - 1)),
  );
  const rowOf = new Map(redraws.map(({ number }, row) => [number, row]));
  const onStep: OnStep = async (done, predicted) => {
    progress.step(done);
    if (done === progress.steps) return;
    const latents = sampled.map((number) => {
      const row = rowOf.get(number);
      return row === undefined ? (drawn[number] ?? noise) : predicted([row]);
    });
    previews.motion(await previews.glimpse(joined(latents)), job.frames / job.fps);
  };
  const latents = await runFlow(
    model.graphs,
    {
      grid: frame.grid,
      start: joined(start),
      from: redraws.map(({ strength }) => 1 - strength),
      power: PICTURE_POWER,
      steps: progress.steps,
      text,
      guidance: job.guidance,
      phases: redraws.map(() => 0),
      references: null,
    },
    onStep,
  );
  redraws.forEach(({ number }, row) => {
    drawn[number] = latentAt(latents, row, length);
  });
}
