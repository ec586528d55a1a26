// Drawn pictures into the bytes of a file, and the file onto the disk.

import { createHash } from "node:crypto";
import { lstat, rm, writeFile } from "node:fs/promises";
import sharp from "sharp";
import { EngineError } from "../job/errors.ts";
import type { ImageFormat, OutputFormat, VideoFormat } from "../job/job.ts";
import { enlargeToRgb } from "../picture/enlarge.ts";
import { layoutOf } from "../picture/frame.ts";
import { encodeWebp } from "../picture/lossless-webp.ts";
import { encodePalettePng } from "../picture/palette-png.ts";
import { addImageRecipe, filmTags, type Recipe } from "../recipe/recipe.ts";
import { chooseEncoder, type VideoEncoder } from "../video/encoders.ts";
import { encodeWithFfmpeg } from "../video/ffmpeg.ts";
import type { Film } from "../video/film.ts";
import { pictureToI420, rgbToI420 } from "../video/i420.ts";
import { remux } from "../video/remux.ts";
import { encodeWithWasm } from "../video/wasm-encoder.ts";
import type { Drawn, DrawnPicture, LoadedModel, RunContext } from "./run-context.ts";

export const contentTypes: Readonly<Record<OutputFormat, string>> = {
  png: "image/png",
  jpeg: "image/jpeg",
  webp: "image/webp",
  mp4: "video/mp4",
  webm: "video/webm",
};

/** Edges of pixel blocks ring below this quality. */
const JPEG = { quality: 95, chromaSubsampling: "4:4:4" } as const;
const PHOTO_WEBP = { quality: 95 } as const;

/** The finished file's bytes, recipe included. */
export async function encodeOutput(context: RunContext, drawn: Drawn, recipe: Recipe): Promise<Uint8Array> {
  const { format } = context.job.output;
  if (format === "mp4" || format === "webm") return encodeFilm(context, drawn, format, recipe);
  const [picture] = drawn.pictures;
  if (!picture) throw new Error("nothing was drawn");
  return addImageRecipe(await encodeImage(context, picture, format), recipe);
}

async function encodeImage(context: RunContext, drawn: DrawnPicture, format: ImageFormat): Promise<Uint8Array> {
  const { palette } = context.model;
  const layout = layoutOf(context.frame);
  if (drawn.kind === "pixels" && format === "png") return encodePalettePng(drawn.picture, layout, palette);
  if (drawn.kind === "pixels" && format === "webp") return encodeWebp(drawn.picture, layout, palette);
  const rgb = drawn.kind === "rgb" ? drawn.rgb : enlargeToRgb(drawn.picture, layout, palette);
  const picture = sharp(rgb, { raw: { width: layout.width, height: layout.height, channels: 3 } });
  if (format === "png") return picture.png().toBuffer();
  return format === "jpeg" ? picture.jpeg(JPEG).toBuffer() : picture.webp(PHOTO_WEBP).toBuffer();
}

async function encodeFilm(context: RunContext, drawn: Drawn, format: VideoFormat, recipe: Recipe): Promise<Uint8Array> {
  const { job, model, progress } = context;
  const encoder = await encoderFor(model, format);
  const film = filmOf(context, drawn);
  const onFrame = (done: number) => progress.report("mux", done / job.frames, `frame ${done} of ${job.frames}`);
  const bytes =
    encoder.kind === "ffmpeg"
      ? await encodeWithFfmpeg(encoder.program, format, film, onFrame)
      : await encodeWithWasm(film, onFrame);
  return remux(bytes, format, job.fps, filmTags(recipe));
}

/** Throws EngineError engine_failed where this machine cannot write the format. */
export async function encoderFor(model: LoadedModel, format: VideoFormat): Promise<VideoEncoder> {
  const encoder = await chooseEncoder(format, model.encoder, model.environment);
  if (encoder) return encoder;
  throw new EngineError("engine_failed", `This machine has no encoder for ${format}; it needs ffmpeg.`);
}

function filmOf({ job, frame, model }: RunContext, drawn: Drawn): Film {
  const layout = layoutOf(frame);
  // One picture is shown in several frames in a row; more of them would fill the memory.
  let latest: { number: number; frame: Uint8Array } | undefined;
  const picture = (number: number) => {
    if (latest?.number === number) return latest.frame;
    const wanted = drawn.pictures[number];
    if (!wanted) throw new Error(`picture ${number} was not drawn`);
    const converted =
      wanted.kind === "pixels"
        ? pictureToI420(wanted.picture, layout, model.palette)
        : rgbToI420(wanted.rgb, job.width, job.height);
    latest = { number, frame: converted };
    return converted;
  };
  return { width: job.width, height: job.height, fps: job.fps, order: drawn.order, picture };
}

/** Writes the file. Throws EngineError storage_failed, leaving no half-written file behind. */
export async function save(file: string, bytes: Uint8Array): Promise<{ bytes: number; sha256: string }> {
  try {
    await writeFile(file, bytes);
  } catch (error) {
    const left = await lstat(file).catch(() => null);
    if (left?.isFile()) await rm(file, { force: true });
    throw new EngineError("storage_failed", "The result could not be written to the disk.", { cause: error });
  }
  return { bytes: bytes.length, sha256: createHash("sha256").update(bytes).digest("hex") };
}
