// The embedded engine: request + seed + weights in, a picture or a clip out. Importing this module loads neither
// onnxruntime nor sharp; both live in the child process that the host starts when it is first needed.

export type { EngineHostOptions } from "./host/host.ts";
export { EngineHost } from "./host/host.ts";
export type { EngineErrorCode } from "./job/errors.ts";
export { EngineBusy, EngineCrashed, EngineError } from "./job/errors.ts";
export type {
  EngineDone,
  EngineEvent,
  EngineJob,
  EngineMode,
  EnginePreview,
  EngineProgress,
  EngineReference,
  EngineStage,
  EngineTimings,
  EngineWarning,
  EngineWarningCode,
  OutputFormat,
} from "./job/job.ts";
export { readRecipe, stripRecipe } from "./recipe/recipe.ts";
export { ENGINE_NAME, ENGINE_VERSION } from "./version.ts";
export { canEncode } from "./video/encoders.ts";
export type { KnownVocabulary } from "./vocabulary/known.ts";
export { knownVocabulary, knownWords, unknownWords } from "./vocabulary/known.ts";
