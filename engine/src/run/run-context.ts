import type { EngineJob, EngineWarning } from "../job/job.ts";
import type { Frame } from "../picture/frame.ts";
import type { Palette, PixelPicture } from "../picture/palette.ts";
import type { Graphs } from "../sampler/graphs.ts";
import type { TextCondition } from "../sampler/text-condition.ts";
import type { EncoderChoice } from "../video/encoders.ts";
import type { Environment } from "../video/ffmpeg.ts";
import type { Vocabulary } from "../vocabulary/vocabulary.ts";
import type { Previews } from "./previews.ts";
import type { ProgressMeter } from "./progress.ts";

/** The loaded model and what goes with it; lives as long as the process. */
export interface LoadedModel {
  readonly graphs: Graphs;
  readonly vocabulary: Vocabulary;
  readonly palette: Palette;
  readonly encoder: EncoderChoice;
  readonly environment: Environment;
}

/** Everything one run needs to draw. */
export interface RunContext {
  readonly model: LoadedModel;
  readonly job: EngineJob;
  readonly frame: Frame;
  readonly progress: ProgressMeter;
  readonly previews: Previews;
  readonly text: TextCondition;
  readonly warn: (warning: EngineWarning) => void;
}

/** What was drawn: the different pictures, and for each frame of the output the number of the one it shows. */
export interface Drawn {
  readonly pictures: readonly DrawnPicture[];
  readonly order: readonly number[];
}

/** Model pixels to be enlarged, or full-size RGB bytes where a reference is handed back unchanged. */
export type DrawnPicture =
  | { readonly kind: "pixels"; readonly picture: PixelPicture }
  | { readonly kind: "rgb"; readonly rgb: Uint8Array };

export function pixelsDrawn(pictures: readonly PixelPicture[], order: readonly number[]): Drawn {
  return { pictures: pictures.map((picture) => ({ kind: "pixels", picture })), order };
}
