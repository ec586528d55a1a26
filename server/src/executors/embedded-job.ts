import { findModel } from "@safelight/catalog";
import type { Notice } from "@safelight/contract";
import type { EngineJob, EngineWarning } from "@safelight/engine";
import type { RunReference, RunRequest } from "./executor.ts";

type EngineReference = EngineJob["references"][number];
type OutputFormat = EngineJob["output"]["format"];

/** Parameters of the big models that the miniature has nothing to do with. */
const withoutEffect: Readonly<Record<string, string>> = {
  sampler: "The sketch engine has one sampler of its own; this choice changes nothing.",
  clip_skip: "The sketch engine reads the prompt in its own way; clip_skip changes nothing.",
  lighting_variant: "The sketch engine has no lighting variants; this choice changes nothing.",
  motion_score: "The sketch engine draws motion from the prompt alone; motion_score changes nothing.",
};

/** Translates a checked request into the engine's own terms. `path` is where the file is to be written. */
export function toEngineJob(request: RunRequest, path: string): EngineJob {
  const { parameters } = request;
  return {
    mode: request.mode,
    prompt: request.prompt,
    negativePrompt: request.negativePrompt,
    seed: request.seed,
    steps: numberOf(parameters.steps, 1),
    guidance: numberOf(parameters.guidance_scale ?? parameters.cfg_scale, 1),
    strength: numberOf(parameters.denoising_strength, 1),
    width: numberOf(parameters.width, 512),
    height: numberOf(parameters.height, 512),
    frames: request.type === "image" ? 1 : numberOf(parameters.num_frames, 1),
    fps: request.type === "image" ? 0 : numberOf(parameters.fps, 16),
    references: request.references.map((reference) => toEngineReference(request, reference)),
    output: { path, format: formatOf(request) },
    recipe: { ...request.recipe },
  };
}

/** Names the choices that change nothing here. A default is nobody's choice, and a warning about it would only be noise. */
export function warningsFor(request: RunRequest): Notice[] {
  const { parameters } = request;
  return Object.entries(withoutEffect)
    .filter(([name]) => parameters[name] !== undefined && parameters[name] !== defaultOf(request, name))
    .map(([parameter, detail]) => ({ code: "no_effect", parameter, detail }));
}

/** The engine's warnings under the names that the sender of the request knows. */
export function inCatalogNames(request: RunRequest, warnings: readonly EngineWarning[]): Notice[] {
  const guidance = request.parameters.cfg_scale === undefined ? "guidance_scale" : "cfg_scale";
  const names: Readonly<Record<string, string>> = { guidance, strength: "denoising_strength" };
  return warnings.map((warning) => {
    const parameter = names[warning.parameter ?? ""];
    return parameter === undefined ? warning : { ...warning, parameter };
  });
}

function defaultOf({ model }: RunRequest, parameter: string): unknown {
  return findModel(model)?.parameters.find(({ name }) => name === parameter)?.default;
}

export function formatOf(request: RunRequest): OutputFormat {
  const format = request.parameters.output_format;
  return typeof format === "string" ? (format as OutputFormat) : request.type === "image" ? "png" : "mp4";
}

const roles: Readonly<Record<string, EngineReference["role"]>> = {
  reference_image: "init",
  first_frame_image: "first",
  last_frame_image: "last",
  arbitrary_frames: "keyframe",
};

function toEngineReference({ type }: RunRequest, reference: RunReference): EngineReference {
  const { parameter, frameIndex, strength, path } = reference;
  // One name in the catalog, two things to the engine: a picture to redraw, or the frame that a clip begins with.
  const role = parameter === "reference_image" && type === "video" ? "first" : (roles[parameter] ?? "init");
  return { role, frameIndex: frameIndex ?? 0, strength, path };
}

function numberOf(value: unknown, otherwise: number): number {
  return typeof value === "number" ? value : otherwise;
}
