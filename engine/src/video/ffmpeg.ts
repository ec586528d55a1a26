// The system's ffmpeg, where there is one: better compression, and the only way to webm. Frames go in by a pipe.

import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:fs";
import { access, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import type { VideoFormat } from "../job/job.ts";
import type { Film, OnFrame } from "./film.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

const encoders: Readonly<Record<VideoFormat, string>> = { mp4: "libx264", webm: "libvpx-vp9" };
const PROBE_LIMIT_MS = 10_000;
/** A fixed number: the bytes an encoder writes depend on it. */
const THREADS = "2";

const known = new Map<string, Promise<ReadonlySet<string>>>();

/** Path of an ffmpeg that can write the format: SAFELIGHT_FFMPEG when set (and nothing else then), otherwise from PATH. */
export async function findFfmpeg(format: VideoFormat, environment: Environment): Promise<string | null> {
  const program = await findProgram(environment);
  if (program === null) return null;
  let names = known.get(program);
  if (!names) {
    names = listEncoders(program);
    known.set(program, names);
  }
  return (await names).has(encoders[format]) ? program : null;
}

async function findProgram(environment: Environment): Promise<string | null> {
  const set = environment.SAFELIGHT_FFMPEG;
  const folders = (environment.PATH ?? "").split(path.delimiter).filter((folder) => path.isAbsolute(folder));
  const name = process.platform === "win32" ? "ffmpeg.exe" : "ffmpeg";
  for (const candidate of set ? [path.resolve(set)] : folders.map((folder) => path.join(folder, name))) {
    try {
      await access(candidate, constants.X_OK);
      return candidate;
    } catch {
      // Not here: look further.
    }
  }
  return null;
}

async function listEncoders(program: string): Promise<ReadonlySet<string>> {
  try {
    const { stdout } = await promisify(execFile)(program, ["-hide_banner", "-encoders"], { timeout: PROBE_LIMIT_MS });
    return new Set(stdout.split("\n").flatMap((line) => line.trim().split(/\s+/)[1] ?? []));
  } catch {
    return new Set();
  }
}

/** The film as mp4 (H.264) or webm (VP9). Throws with ffmpeg's last words when it fails. */
export async function encodeWithFfmpeg(
  program: string,
  format: VideoFormat,
  film: Film,
  onFrame: OnFrame,
): Promise<Uint8Array> {
  const folder = await mkdtemp(path.join(tmpdir(), "safelight-film-"));
  const file = path.join(folder, `film.${format}`);
  try {
    await feed(program, [...inputOptions(film), ...outputOptions(format, film), "-y", file], film, onFrame);
    return await readFile(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function feed(program: string, options: string[], film: Film, onFrame: OnFrame): Promise<void> {
  const child = spawn(program, options, { stdio: ["pipe", "ignore", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-2000);
  });
  // When ffmpeg ends early the pipe breaks; its exit code says more than that error.
  child.stdin.on("error", () => {});
  const ended = once(child, "close") as Promise<[number | null, NodeJS.Signals | null]>;
  const drained = () => once(child.stdin, "drain").catch(() => {});
  for (const [frame, picture] of film.order.entries()) {
    if (child.stdin.destroyed) break;
    if (!child.stdin.write(film.picture(picture))) await Promise.race([drained(), ended]);
    onFrame(frame + 1);
  }
  child.stdin.end();
  const [code, signal] = await ended;
  if (code !== 0) throw new Error(`ffmpeg ended with ${code ?? signal}: ${said.trim().split("\n").at(-1) ?? ""}`);
}

function inputOptions({ width, height, fps }: Film): string[] {
  const raw = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-video_size", `${width}x${height}`, "-framerate", `${fps}`];
  return ["-hide_banner", "-loglevel", "error", "-nostdin", ...raw, "-i", "pipe:0"];
}

function outputOptions(format: VideoFormat, { fps }: Film): string[] {
  const colours = ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv"];
  // No version of the encoder and no dates in the file: the same frames give the same bytes.
  const plain = ["-map_metadata", "-1", "-fflags", "+bitexact", "-flags:v", "+bitexact", "-threads", THREADS];
  const common = ["-an", "-pix_fmt", "yuv420p", "-g", `${fps * 2}`, ...colours, ...plain];
  if (format === "mp4") {
    const quality = ["-c:v", "libx264", "-preset", "veryfast", "-tune", "animation", "-crf", "16", "-bf", "0"];
    return [...quality, ...common, "-movflags", "+faststart"];
  }
  const quality = [
    "-c:v",
    "libvpx-vp9",
    "-crf",
    "22",
    "-b:v",
    "0",
    "-deadline",
    "good",
    "-cpu-used",
    "5",
    "-row-mt",
    "1",
  ];
  return [...quality, ...common];
}
