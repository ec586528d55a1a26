// first_last_frame and arbitrary_frame: the model draws the way from each keyframe to the next, and their loops where there
// is time left.

import type { EngineReference } from "../job/job.ts";
import { toPixelPictures } from "../picture/palette.ts";
import { drawMotion, type Moment } from "../sampler/draw.ts";
import type { OnStep } from "../sampler/flow.ts";
import { joined, latentAt, latentLength } from "../sampler/latent.ts";
import { keepGiven, type Still } from "./kept-pictures.ts";
import { type Keyframe, redrawnReference } from "./redraw.ts";
import { referencesOf } from "./references.ts";
import { type Drawn, pixelsDrawn, type RunContext } from "./run-context.ts";
import { type Drawing, drawingsThrough, LOOP_DRAWINGS } from "./timeline.ts";

const PREVIEW_DRAWINGS = 4;

export async function drawPassages(context: RunContext): Promise<Drawn> {
  const { model, job, frame, progress, previews } = context;
  const keyframes = keyframesOf(context);
  const stills: Keyframe[] = [];
  for (const [index, { reference }] of keyframes.entries()) {
    stills.push(await redrawnReference(context, reference, { number: index + 1, of: keyframes.length }));
  }
  const places = keyframes.map(({ place }) => place);
  const { drawings, order } = drawingsThrough(job.frames, job.fps, places);
  const latents = stills.map(({ latent }) => latent);
  const drawn = await animate(context, latents, drawings);
  progress.report("decode", 0);
  const decoded = await model.graphs.decode(joined([drawn, ...latents]), frame.grid);
  const all = toPixelPictures(decoded, frame.grid, model.palette);
  const kept = all.slice(drawings.length).map((rendered, keyframe) => {
    return { rendered, given: stills[keyframe]?.given ?? rendered };
  });
  const pictures = drawings.map((drawing, place) => {
    const picture = all[place];
    if (!picture) throw new Error(`there is no drawing ${place}`);
    return keepGiven(picture, around(kept, drawing));
  });
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

/** Latents of all drawings, in their order. */
async function animate(
  context: RunContext,
  stills: readonly Float32Array[],
  drawings: readonly Drawing[],
): Promise<Float32Array> {
  const { model, job, frame, text, progress, previews } = context;
  const moving = drawings.filter(({ kind }) => kind !== "still");
  const together = (motion: Float32Array, wanted: readonly Drawing[]) => {
    const rows = new Map(moving.map((drawing, row) => [drawing, row]));
    const length = latentLength(frame.grid);
    return joined(
      wanted.map((drawing) => {
        const row = rows.get(drawing);
        return row === undefined ? stillOf(stills, drawing.keyframe) : latentAt(motion, row, length);
      }),
    );
  };
  if (moving.length === 0) {
    progress.step(progress.steps);
    return together(new Float32Array(), drawings);
  }
  const sampled = spread(drawings);
  const onStep: OnStep = async (done, predicted) => {
    progress.step(done);
    if (done === progress.steps) return;
    const motion = predicted(moving.map((_, row) => row));
    previews.motion(await previews.glimpse(together(motion, sampled)), job.frames / job.fps);
  };
  const moments = moving.map((drawing) => momentOf(stills, drawing));
  const request = { grid: frame.grid, seed: job.seed, steps: progress.steps, text, moments };
  return together(await drawMotion(model.graphs, request, onStep), drawings);
}

/** The stills that a drawing may still show, the nearer one first. */
function around(stills: readonly Still[], { kind, keyframe, phase }: Drawing): readonly Still[] {
  if (kind !== "onward") return stills.slice(keyframe, keyframe + 1);
  const ends = stills.slice(keyframe, keyframe + 2);
  return phase > LOOP_DRAWINGS / 2 ? ends.toReversed() : ends;
}

function momentOf(stills: readonly Float32Array[], { kind, keyframe, phase }: Drawing): Moment {
  return {
    first: stillOf(stills, keyframe),
    last: kind === "onward" ? stillOf(stills, keyframe + 1) : null,
    phase: phase / LOOP_DRAWINGS,
  };
}

function stillOf(stills: readonly Float32Array[], keyframe: number): Float32Array {
  const still = stills[keyframe];
  if (!still) throw new Error(`there is no keyframe ${keyframe}`);
  return still;
}

/** A few of the drawings, the first and the last among them: each costs a decoder run at every step. */
function spread(drawings: readonly Drawing[]): Drawing[] {
  const places = Array.from({ length: PREVIEW_DRAWINGS }, (_, index) =>
    Math.floor((index * (drawings.length - 1)) / (PREVIEW_DRAWINGS - 1)),
  );
  return places.flatMap((place) => drawings[place] ?? []);
}
