// One model and mode from the start to the last byte.
import { createHash } from "node:crypto";
import type { WorkerResult, WorkerTask, WorkerTaskRequest } from "@safelight/contract/worker";
import { workerHeaders } from "@safelight/contract/worker";
import type { Bench } from "../bench.ts";
import type { Check } from "../check.ts";
import { decodePicture, inspectClip } from "../inspect.ts";
import { type Answer, must, mustAnswer, mustHaveType, mustRefuse, typeOf } from "../probe.ts";
import type { Pair } from "../work.ts";

/** The check of one pair. */
export function runCheck(pair: Pair): Check {
  return {
    name: `run: ${pair.model.id} ${pair.mode}`,
    run: async (bench) => {
      const began = performance.now();
      const request = bench.request(pair);
      await bench.start(request);
      const previews = { seen: 0, version: 0 };
      const seen = await bench.follow(request, bench.options.runSeconds, (task) =>
        lookAtPreview(bench, task, previews),
      );
      const last = seen.at(-1);
      must(last?.state === "succeeded", `it failed with ${last?.error?.code}: ${last?.error?.detail}`);
      const seconds = (performance.now() - began) / 1000;
      judgeProgress(seen);
      must(last.preview_version > 0 && previews.seen > 0, "it had no preview");
      const bytes = await judgeResult(bench, pair, request, last);
      await judgeSeeds(bench, pair, request, last, bytes);
      const { width, height, frames } = last.result as WorkerResult;
      return `${width}×${height}×${frames}, ${seconds.toFixed(1)} s, ${seen.length} states, ${previews.seen} previews`;
    },
  };
}

function judgeProgress(seen: readonly WorkerTask[]): void {
  for (const [index, task] of seen.entries()) {
    const before = seen[index - 1];
    if (before === undefined) continue;
    must(task.version >= before.version, `version fell from ${before.version} to ${task.version}`);
    must(task.progress >= before.progress, `progress fell from ${before.progress} to ${task.progress}`);
    must(task.preview_version >= before.preview_version, "preview_version fell");
    must((task.step ?? 0) >= (before.step ?? 0) || task.stage !== before.stage, "step fell within a stage");
    if (task.version === before.version) {
      must(JSON.stringify(task) === JSON.stringify(before), "the state changed and its version did not");
    }
  }
  for (const { step, steps } of seen)
    must(step === null || steps === null || step <= steps, `step ${step} of ${steps}`);
  const between = new Set(seen.map(({ progress }) => progress).filter((progress) => progress > 0 && progress < 100));
  must(between.size >= 2, `progress did not move: it was ${[...between].join(", ") || "nothing"} between 0 and 100`);
}

async function lookAtPreview(
  bench: Bench,
  task: WorkerTask,
  previews: { seen: number; version: number },
): Promise<void> {
  // A few are enough: each costs a decode, and the run goes on meanwhile.
  if (task.preview_version <= previews.version || (previews.seen >= 3 && task.state === "running")) return;
  const { task_id: id, attempt, preview_version } = task;
  const answer = await bench.probe.ask("getPreview", { path: { id }, query: { attempt } });
  mustAnswer(answer, 200);
  const version = Number(answer.headers.get(workerHeaders.previewVersion));
  must(version >= preview_version, `preview ${preview_version} was announced and ${version} was sent`);
  const picture = await decodePicture(answer.bytes, typeOf(answer));
  must(picture.width >= 16 && picture.height >= 16, `a preview has ${picture.width}×${picture.height} pixels`);
  must(/no-store/.test(answer.headers.get("cache-control") ?? ""), "previews may be kept by caches");
  previews.seen += 1;
  previews.version = version;
}

async function judgeResult(
  bench: Bench,
  pair: Pair,
  request: WorkerTaskRequest,
  task: WorkerTask,
): Promise<Uint8Array> {
  const result = task.result as WorkerResult;
  const read = (headers: Record<string, string> = {}) =>
    bench.probe.ask("getResult", { path: { id: task.task_id }, query: { attempt: 1 }, headers, within: 120 });
  const whole = await read();
  mustAnswer(whole, 200);
  mustHaveType(whole, result.content_type);
  mustBeAnnounced(whole, result);
  const { bytes } = whole;
  must(bytes.length === result.bytes, `the result has ${bytes.length} bytes, ${result.bytes} were announced`);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  must(sha256 === result.sha256, "the result does not have the hash that was announced");
  await judgeContent(pair, request, result, bytes);
  await judgeRanges(read, result, bytes);
  return bytes;
}

function mustBeAnnounced(answer: Answer, result: WorkerResult): void {
  const { headers } = answer;
  must(headers.get(workerHeaders.sha256) === result.sha256, `Safelight-Sha256 is ${headers.get(workerHeaders.sha256)}`);
  must(
    Number(headers.get(workerHeaders.size)) === result.bytes,
    `Safelight-Size is ${headers.get(workerHeaders.size)}`,
  );
}

async function judgeContent(
  pair: Pair,
  { parameters }: WorkerTaskRequest,
  result: WorkerResult,
  bytes: Uint8Array,
): Promise<void> {
  const wanted = { width: parameters.width, height: parameters.height, ...lengthOf(pair, parameters) };
  const format = `${pair.type}/${String(parameters.output_format)}`;
  must(result.content_type === format, `${format} was asked for, ${result.content_type} was made`);
  const found =
    pair.type === "image"
      ? await decodePicture(bytes, result.content_type)
      : await inspectClip(bytes, result.content_type);
  for (const key of ["width", "height", "frames", "fps"] as const) {
    must(result[key] === wanted[key], `${key} is said to be ${result[key]}, ${String(wanted[key])} was asked for`);
    const near = key === "fps" ? Math.abs(found.fps - Number(wanted.fps)) < 0.5 : found[key] === wanted[key];
    must(near, `${key} of the file is ${found[key]}, ${String(wanted[key])} was asked for`);
  }
}

function lengthOf({ type }: Pair, { num_frames, fps }: Readonly<Record<string, unknown>>) {
  return type === "image" ? { frames: 1, fps: 0 } : { frames: num_frames, fps };
}

async function judgeRanges(
  read: (headers: Record<string, string>) => Promise<Answer>,
  result: WorkerResult,
  bytes: Uint8Array,
): Promise<void> {
  const size = bytes.length;
  const parts: [range: string, start: number, end: number][] = [
    ["bytes=0-0", 0, 0],
    ["bytes=10-19", 10, 19],
    ["bytes=-16", size - 16, size - 1],
    [`bytes=${size - 8}-`, size - 8, size - 1],
    [`bytes=5-${size + 1000}`, 5, size - 1],
  ];
  for (const [range, start, end] of parts) {
    const part = await read({ range });
    mustAnswer(part, 206);
    mustBeAnnounced(part, result);
    const said = part.headers.get("content-range");
    must(said === `bytes ${start}-${end}/${size}`, `Range ${range} was answered with Content-Range ${said}`);
    must(Buffer.from(part.bytes).equals(bytes.subarray(start, end + 1)), `Range ${range} brought other bytes`);
  }
  const beyond = await read({ range: `bytes=${size}-` });
  mustRefuse(beyond, "range_not_satisfiable");
  must(beyond.headers.get("content-range") === `bytes */${size}`, "416 does not say how long the file is");
}

/** The same request makes the same file, whoever asks; another seed makes another picture. */
async function judgeSeeds(
  bench: Bench,
  pair: Pair,
  request: WorkerTaskRequest,
  task: WorkerTask,
  bytes: Uint8Array,
): Promise<void> {
  const again = bench.request(pair, "smallest", { attempt: 3 });
  await bench.start(again);
  const repeated = await bench.finish(again);
  must(repeated.result?.sha256 === task.result?.sha256, "the same request and seed made another file");
  const other = bench.request(pair, "smallest", { seed: request.seed + 1 });
  await bench.start(other);
  const varied = await bench.finish(other);
  must(varied.result?.sha256 !== task.result?.sha256, "another seed made the same file");
  if (pair.type !== "image") return;
  const answer = await bench.probe.ask("getResult", { path: { id: other.task_id }, within: 120 });
  const [one, two] = [await decodePicture(bytes, typeOf(answer)), await decodePicture(answer.bytes, typeOf(answer))];
  must(!one.pixels.equals(two.pixels), "another seed made the same picture");
}
