// What host and child say to each other, by structured clone.

import type { EngineErrorCode } from "../job/errors.ts";
import type { EngineEvent, EngineJob } from "../job/job.ts";
import type { EncoderChoice } from "../video/encoders.ts";
import type { Environment } from "../video/ffmpeg.ts";

/** First message to a child. */
export interface OpenMessage {
  readonly type: "open";
  readonly modelFolder: string;
  readonly threads: number;
  readonly encoder: EncoderChoice;
  readonly environment: Environment;
}

export type HostMessage = OpenMessage | { readonly type: "run"; readonly job: EngineJob };

export type ChildMessage =
  /** The weights are loaded; jobs may come. */
  | { readonly type: "ready" }
  /** The weights could not be loaded; the child ends. */
  | { readonly type: "unable"; readonly detail: string }
  | { readonly type: "event"; readonly event: EngineEvent }
  /** The job failed; the child takes the next. */
  | { readonly type: "failed"; readonly code: EngineErrorCode; readonly detail: string };
