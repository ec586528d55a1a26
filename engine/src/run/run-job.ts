// One job from its words to its file.

import type { EngineDone, EngineJob, EngineWarning } from "../job/job.ts";
import { chooseFrame, isNarrow } from "../picture/frame.ts";
import { stepsToRun } from "../sampler/schedule.ts";
import { encodeCondition } from "../sampler/text-condition.ts";
import { ENGINE_NAME, ENGINE_VERSION } from "../version.ts";
import { completePrompt } from "../vocabulary/completion.ts";
import { drawClip } from "./draw-clip.ts";
import { drawImage } from "./draw-image.ts";
import { drawPassages } from "./draw-passages.ts";
import { drawUnchanged, isUnchanged } from "./draw-unchanged.ts";
import { Previews } from "./previews.ts";
import { type Emit, ProgressMeter, type StageCosts } from "./progress.ts";
import { KEPT_STRENGTH } from "./redraw.ts";
import type { Drawn, LoadedModel, RunContext } from "./run-context.ts";
import { warningsOf } from "./warnings.ts";
import { contentTypes, encodeOutput, encoderFor, save } from "./write-output.ts";

/** Runs a job and tells the events on the way, all but the last: that one is returned. Throws EngineError. */
export async function runJob(model: LoadedModel, job: EngineJob, emit: Emit): Promise<EngineDone> {
  const started = performance.now();
  const onnxBefore = model.graphs.elapsed();
  const { format } = job.output;
  // Known before anything is drawn for nothing.
  if (format === "mp4" || format === "webm") await encoderFor(model, format);
  const frame = chooseFrame(job.width, job.height);
  // A reference already fixes place, size and colour; naming others at random would fight it.
  const completes = job.mode === "txt2img" || job.mode === "t2v";
  const completedPrompt = completes
    ? completePrompt(model.vocabulary, job.prompt, job.seed, { narrow: isNarrow(frame.grid) })
    : job.prompt;
  const warnings: EngineWarning[] = warningsOf(job, completedPrompt, model.vocabulary);

  const steps = isUnchanged(job) ? 0 : stepsToRun(job.steps, job.strength);
  const progress = new ProgressMeter(emit, costsOf(job), steps);
  const previews = new Previews(model.graphs, model.palette, frame, emit);
  progress.report("encode", 0);
  const text = await encodeCondition(model.graphs, model.vocabulary, {
    prompt: completedPrompt,
    negativePrompt: job.negativePrompt,
    guidance: job.guidance,
  });
  const warn = (warning: EngineWarning) => warnings.push(warning);
  const context: RunContext = { model, job, frame, progress, previews, text, warn };

  const drawn = await draw(context);
  const outputStarted = performance.now();
  progress.report(job.frames > 1 ? "mux" : "save", 0);
  const recipe = {
    ...job.recipe,
    engine: ENGINE_NAME,
    engine_version: ENGINE_VERSION,
    completed_prompt: completedPrompt,
  };
  const file = await encodeOutput(context, drawn, recipe);
  progress.report("save", 0);
  const saved = await save(job.output.path, file);
  const ended = performance.now();
  return {
    type: "done",
    path: job.output.path,
    contentType: contentTypes[job.output.format],
    ...saved,
    width: job.width,
    height: job.height,
    frames: job.frames,
    fps: job.fps,
    completedPrompt,
    warnings,
    timings: {
      total: ended - started,
      onnx: model.graphs.elapsed() - onnxBefore,
      previewOnnx: previews.elapsed,
      output: ended - outputStarted,
    },
  };
}

async function draw(context: RunContext): Promise<Drawn> {
  const { job } = context;
  if (isUnchanged(job)) return drawUnchanged(context, job.mode);
  switch (job.mode) {
    case "txt2img":
    case "img2img":
      return drawImage(context);
    case "t2v":
    case "i2v":
      return drawClip(context);
    case "first_last_frame":
    case "arbitrary_frame":
      return drawPassages(context);
  }
}

/** Milliseconds each stage takes on two cores, roughly: only their proportions matter. */
function costsOf(job: EngineJob): StageCosts {
  const megapixels = (job.width * job.height) / 1e6;
  if (job.frames === 1) return { encode: 5, denoise: job.steps * 13, decode: 5, mux: 0, save: 20 };
  const redrawn = job.references.filter(({ strength }) => strength < KEPT_STRENGTH).length;
  const encode = job.mode === "t2v" ? job.steps * 13 : 10 + redrawn * job.steps * 13;
  return { encode, denoise: job.steps * 62, decode: 70, mux: job.frames * megapixels * 14, save: 10 };
}
