// Requests for every model and mode of the catalog: the smallest that is allowed, and the largest, which takes long enough
// to be disturbed.
import { createHash } from "node:crypto";
import {
  findModel,
  type MediaType,
  type Mode,
  type ModelEntry,
  type ParameterEntry,
  parametersOf,
} from "@safelight/catalog";
import type { WorkerMedia, WorkerTaskRequest } from "@safelight/contract/worker";
import sharp from "sharp";

export interface Pair {
  readonly model: ModelEntry;
  readonly mode: Mode;
  readonly type: MediaType;
}

export interface Picture {
  readonly media: WorkerMedia;
  readonly bytes: Uint8Array;
}

/** A picture with things to be seen in it; another number, up to 2^24, makes another picture. */
export async function drawPicture(number: number): Promise<Picture> {
  const [width, height] = [96, 64];
  const pixels = Buffer.alloc(width * height * 3);
  for (let index = 0; index < width * height; index += 1) {
    const [x, y] = [index % width, Math.floor(index / width)];
    const inside = (x - 48) ** 2 + (y - 32) ** 2 < 400;
    pixels.set(inside ? [200, 40, 30] : [40, 90 + y, (x * 2 + (number >> (y % 24))) % 256], index * 3);
  }
  const bytes = await sharp(pixels, { raw: { width, height, channels: 3 } })
    .png()
    .toBuffer();
  return pictureOf(bytes);
}

export function pictureOf(bytes: Uint8Array): Picture {
  const id = `sha256-${createHash("sha256").update(bytes).digest("hex")}`;
  return { bytes, media: { id, content_type: "image/png", bytes: bytes.byteLength } };
}

export function hashOf(picture: Picture): string {
  return picture.media.id.replace("sha256-", "");
}

/** The request of a pair, all but the names of task and attempt. Not square, so that turned sides would show. */
export function requestOf(
  pair: Pair,
  pictures: readonly Picture[],
  size: "smallest" | "largest",
): Omit<WorkerTaskRequest, "task_id" | "attempt"> {
  const parameters: Record<string, unknown> = {};
  const used = new Map<string, WorkerMedia>();
  const use = (index: number): string => {
    const picture = pictures[index % pictures.length];
    if (picture === undefined) throw new TypeError("there is no picture to be used");
    used.set(picture.media.id, picture.media);
    return picture.media.id;
  };
  for (const parameter of parametersOf(pair.model, pair.mode)) {
    const { name } = parameter;
    if (["prompt", "negative_prompt", "seed"].includes(name) || parameter.locked) continue;
    if (parameter.type === "image") parameters[name] = use(Object.keys(parameters).length);
    else if (parameter.type === "keyframes") parameters[name] = keyframes(use);
    else if (["width", "height", "num_frames", "steps"].includes(name)) parameters[name] = extreme(parameter, size);
    else if (parameter.default !== undefined) parameters[name] = parameter.default;
  }
  return {
    model: pair.model.id,
    mode: pair.mode,
    prompt: "a small red boat on the left at sea at sunset",
    negative_prompt: "",
    parameters,
    seed: 7,
    deadline_s: size === "smallest" ? 600 : 1700,
    media: [...used.values()],
    // The same for every seed, so that a difference between two files is one between two pictures.
    recipe: { made_by: "conformance" },
  };
}

function keyframes(use: (index: number) => string) {
  return [0, 24, 48].map((frame_index, index) => ({ frame_index, image: use(index), strength: 1 }));
}

function extreme({ name, min = 1, max = 1, step = 1 }: ParameterEntry, size: "smallest" | "largest"): number {
  if (size === "largest") return max;
  return name === "width" ? min + step : min;
}

export function pairOf(model: string, mode: string): Pair | null {
  const entry = findModel(model);
  const found = entry?.modes.find(({ id }) => id === mode);
  if (entry === undefined || found === undefined || entry.id !== model) return null;
  return { model: entry, mode: found.id, type: entry.type };
}
