// txt2img and img2img.

import { toPixelPictures } from "../picture/palette.ts";
import { drawStill } from "../sampler/draw.ts";
import type { OnStep } from "../sampler/flow.ts";
import { encodeReference, referencesOf } from "./references.ts";
import { type Drawn, pixelsDrawn, type RunContext } from "./run-context.ts";

export async function drawImage(context: RunContext): Promise<Drawn> {
  const { model, job, frame, text, progress, previews } = context;
  const [reference] = job.mode === "img2img" ? referencesOf(context, "init") : [];
  const initial = reference
    ? { latent: (await encodeReference(context, reference)).latent, strength: job.strength }
    : null;
  const onStep: OnStep = async (done, predicted) => {
    progress.step(done);
    // The last step's preview is the finished picture itself.
    if (done < progress.steps) for (const picture of await previews.glimpse(predicted([0]))) previews.still(picture);
  };
  const { seed, steps, guidance } = job;
  const latent = await drawStill(model.graphs, { grid: frame.grid, seed, steps, guidance, text, initial }, onStep);
  progress.report("decode", 0);
  const pictures = toPixelPictures(await model.graphs.decode(latent, frame.grid), frame.grid, model.palette);
  for (const picture of pictures) previews.still(picture);
  return pixelsDrawn(pictures, [0]);
}
