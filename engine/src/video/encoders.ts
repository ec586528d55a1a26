import type { OutputFormat, VideoFormat } from "../job/job.ts";
import { type Environment, findFfmpeg } from "./ffmpeg.ts";

/** Which encoder may be used: `auto` takes ffmpeg where it is found, else WASM. */
export type EncoderChoice = "auto" | "wasm" | "ffmpeg";

export type VideoEncoder = { readonly kind: "wasm" } | { readonly kind: "ffmpeg"; readonly program: string };

/** The encoder for a format, null when none is at hand: webm needs an ffmpeg with VP9, mp4 always has WASM. */
export async function chooseEncoder(
  format: VideoFormat,
  choice: EncoderChoice,
  environment: Environment,
): Promise<VideoEncoder | null> {
  const program = choice === "wasm" ? null : await findFfmpeg(format, environment);
  if (program !== null) return { kind: "ffmpeg", program };
  return format === "mp4" && choice !== "ffmpeg" ? { kind: "wasm" } : null;
}

/** Whether this machine can write the format: webm needs an ffmpeg with VP9 (SAFELIGHT_FFMPEG or on PATH), all else always works. */
export async function canEncode(format: OutputFormat, environment: Environment = process.env): Promise<boolean> {
  if (format !== "mp4" && format !== "webm") return true;
  return (await chooseEncoder(format, "auto", environment)) !== null;
}
