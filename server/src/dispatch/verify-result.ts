import type { RunResult } from "../executors/executor.ts";
import type { TaskRecord } from "../tasks/task-record.ts";

export type Verdict =
  | {
      ok: true /** A small picture of an image result; clips keep the preview their executor made. */;
      preview: Uint8Array | null;
    }
  | { ok: false; detail: string };

export type ResultFacts = Omit<RunResult, "stream">;

const imageFormats: Readonly<Record<string, string>> = {
  "image/png": "png",
  "image/jpeg": "jpeg",
  "image/webp": "webp",
};
const videoFormats: Readonly<Record<string, string>> = { "video/mp4": "mp4", "video/webm": "webm" };
const PREVIEW_PIXELS = 512;

/** File extension of a result, or null for a type that no executor may deliver for this kind of task. */
export function extensionFor(type: TaskRecord["type"], contentType: string): string | null {
  return (type === "image" ? imageFormats : videoFormats)[contentType] ?? null;
}

/**
 * Looks into a stored file: whether it really is what the executor says and what the task asked for. Nothing is `done`
 * before it has been opened once. The decoders are loaded on first use; a server that only waits does not carry them.
 */
export async function verifyResult(task: TaskRecord, path: string, facts: ResultFacts): Promise<Verdict> {
  if (facts.width !== task.width || facts.height !== task.height) {
    return wrong(`it is ${facts.width}×${facts.height} instead of ${task.width}×${task.height}`);
  }
  if (facts.frames !== task.frames) return wrong(`it has ${facts.frames} frames instead of ${task.frames}`);
  try {
    return task.type === "image" ? await verifyImage(path, facts) : await verifyVideo(path, facts);
  } catch {
    return wrong("it cannot be decoded");
  }
}

async function verifyImage(path: string, facts: ResultFacts): Promise<Verdict> {
  const { default: sharp } = await import("sharp");
  const picture = sharp(path, { failOn: "warning", limitInputPixels: 4096 * 4096 });
  const { format, width, height } = await picture.metadata();
  if (format !== imageFormats[facts.contentType]) return wrong(`it is ${format}, not ${facts.contentType}`);
  if (width !== facts.width || height !== facts.height) return wrong(`the file is ${width}×${height}`);
  // Making the small picture decodes every pixel, so it is the proof as well.
  const size = {
    width: PREVIEW_PIXELS,
    height: PREVIEW_PIXELS,
    fit: "inside",
    withoutEnlargement: true,
    fastShrinkOnLoad: false,
  } as const;
  const preview = await picture.resize(size).webp({ quality: 82 }).toBuffer();
  return { ok: true, preview };
}

async function verifyVideo(path: string, facts: ResultFacts): Promise<Verdict> {
  const { EncodedPacketSink, FilePathSource, Input, MP4, WEBM } = await import("mediabunny");
  using input = new Input({ source: new FilePathSource(path), formats: [MP4, WEBM] });
  const format = facts.contentType === "video/webm" ? WEBM : MP4;
  if ((await input.getFormat()) !== format) return wrong(`it is not ${facts.contentType}`);
  const track = await input.getPrimaryVideoTrack();
  if (track === null) return wrong("it holds no video");
  if (track.displayWidth !== facts.width || track.displayHeight !== facts.height) {
    return wrong(`the clip is ${track.displayWidth}×${track.displayHeight}`);
  }
  const { packetCount } = await track.computePacketStats();
  if (packetCount !== facts.frames) return wrong(`the clip has ${packetCount} frames`);
  const duration = await track.computeDuration();
  if (Math.abs(duration - facts.frames / facts.fps) > 1.5 / facts.fps)
    return wrong(`the clip lasts ${duration} seconds`);
  // The index may be whole while the pictures behind it are cut off, so the last one is fetched.
  const last = await new EncodedPacketSink(track).getPacket(Number.POSITIVE_INFINITY);
  if (last === null || last.data.byteLength === 0) return wrong("the clip is cut off");
  return { ok: true, preview: null };
}

function wrong(detail: string): Verdict {
  return { ok: false, detail };
}
