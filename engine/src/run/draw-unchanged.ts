// Strength 0: nothing is denoised, the framed references are handed back.

import type { EngineReference } from "../job/job.ts";
import { referencesOf, unchangedReference } from "./references.ts";
import type { Drawn, RunContext } from "./run-context.ts";

const roles = { img2img: "init", i2v: "first", arbitrary_frame: "keyframe" } as const;

/** Whether a job asks for no change at all. */
export function isUnchanged(job: RunContext["job"]): job is RunContext["job"] & { mode: keyof typeof roles } {
  return job.strength === 0 && job.mode in roles;
}

/** The reference as a still; keyframes each held until the next. */
export async function drawUnchanged(context: RunContext, mode: keyof typeof roles): Promise<Drawn> {
  const references = referencesOf(context, roles[mode]);
  const pictures: Drawn["pictures"][number][] = [];
  for (const reference of references) pictures.push({ kind: "rgb", rgb: await unchangedReference(context, reference) });
  const order = Array.from({ length: context.job.frames }, (_, frame) => shownAt(references, frame));
  return { pictures, order };
}

function shownAt(references: readonly EngineReference[], frame: number): number {
  const next = references.findIndex(({ frameIndex }) => frameIndex > frame);
  return next < 0 ? references.length - 1 : Math.max(0, next - 1);
}
