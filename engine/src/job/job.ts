// What the engine is asked to do and what it says while doing it. These values cross the boundary between the host and
// the child process, so they hold plain data only.

export const engineModes = ["txt2img", "img2img", "t2v", "i2v", "first_last_frame", "arbitrary_frame"] as const;
export type EngineMode = (typeof engineModes)[number];

export const imageFormats = ["png", "jpeg", "webp"] as const;
export const videoFormats = ["mp4", "webm"] as const;
export type ImageFormat = (typeof imageFormats)[number];
export type VideoFormat = (typeof videoFormats)[number];
export type OutputFormat = ImageFormat | VideoFormat;

/** A picture the job starts from. */
export interface EngineReference {
  readonly role: "init" | "first" | "last" | "keyframe";
  /** Frame the picture stands for, from 0; read for the role `keyframe` only. */
  readonly frameIndex: number;
  /** How closely the picture is kept, 0 to 1; 1 keeps it as it is. */
  readonly strength: number;
  /** A png, jpeg or webp file. */
  readonly path: string;
}

export interface EngineJob {
  readonly mode: EngineMode;
  readonly prompt: string;
  readonly negativePrompt: string;
  /** 0 to 2147483647. */
  readonly seed: number;
  readonly steps: number;
  /** Classifier-free guidance; at 1 the negative prompt has no effect. */
  readonly guidance: number;
  /** Denoising strength, 0 to 1; 1 where the mode has none. */
  readonly strength: number;
  /** Pixels, 512 to 1280 in steps of 16. */
  readonly width: number;
  readonly height: number;
  /** Exact number of frames of the file; 1 for pictures. */
  readonly frames: number;
  readonly fps: number;
  readonly references: readonly EngineReference[];
  readonly output: { readonly path: string; readonly format: OutputFormat };
  /** Embedded in the file as JSON, with `engine`, `engine_version` and `completed_prompt` added. */
  readonly recipe: Readonly<Record<string, unknown>>;
}

export type EngineStage = "load" | "encode" | "denoise" | "decode" | "mux" | "save";

export interface EngineProgress {
  readonly type: "progress";
  readonly stage: EngineStage;
  readonly stageDetail: string | null;
  /** Denoising steps done and to be done in all: max(1, round(steps × strength)), 0 when nothing is denoised. */
  readonly step: number;
  readonly steps: number;
  /** Whole percent, 0 to 99; never falls within a run. */
  readonly progress: number;
}

export interface EnginePreview {
  readonly type: "preview";
  readonly contentType: "image/webp";
  /** The predicted picture; for video an animation. */
  readonly bytes: Uint8Array;
}

export type EngineWarningCode =
  /** Words of the prompt or negative prompt the model has never seen; they were ignored. */
  | "unknown_words"
  /** The prompt knew no subject and no scene at all. */
  | "nothing_known"
  /** Words beyond the 27 the model reads. */
  | "prompt_too_long"
  /** Size, colour or place was added to a terse prompt. */
  | "prompt_completed"
  /** A parameter that changed nothing in this run. */
  | "no_effect"
  /** Strength 0: the framed reference was returned. */
  | "strength_zero"
  /** A reference was cropped to the wanted aspect. */
  | "reference_cropped";

export interface EngineWarning {
  readonly code: EngineWarningCode;
  readonly parameter?: string;
  readonly words?: string[];
  readonly detail: string;
}

/** Where the time of a run went, milliseconds. */
export interface EngineTimings {
  /** From receiving the job to the result on disk. */
  readonly total: number;
  /** Sum over all runs of the ONNX graphs, those for previews included. */
  readonly onnx: number;
  /** The part of `onnx` that only previews needed. */
  readonly previewOnnx: number;
  /** Writing the file: image or video encoder, recipe, disk. */
  readonly output: number;
}

export interface EngineDone {
  readonly type: "done";
  readonly path: string;
  readonly contentType: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly width: number;
  readonly height: number;
  readonly frames: number;
  readonly fps: number;
  readonly completedPrompt: string;
  readonly warnings: EngineWarning[];
  readonly timings: EngineTimings;
}

export type EngineEvent = EngineProgress | EnginePreview | EngineDone;
