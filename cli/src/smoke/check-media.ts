// Uploads, and a picture and a clip from the submit to the last byte.
import { randomUUID } from "node:crypto";
import type { Status, Upload } from "@safelight/contract";
import { drawPng } from "./picture.ts";
import { type Answer, BrokenPart, must, mustAnswer, mustHaveType, mustRefuse, type Probe, shapeOf } from "./probe.ts";
import { smallWork, submit, waitForResult } from "./work.ts";

export async function checkUploads(probe: Probe): Promise<string> {
  const picture = drawPng(96, 64, 128);
  const send = () => {
    const body = new FormData();
    body.append("file", new Blob([picture], { type: "image/png" }), "smoke.png");
    return probe.ask("createUpload", { body });
  };
  const first = await send();
  const upload = shapeOf<Upload>("createUpload", first, first.status === 200 ? 200 : 201);
  must(upload.width === 96 && upload.height === 64, `a picture of 96×64 was read as ${upload.width}×${upload.height}`);
  const again = shapeOf<Upload>("createUpload", await send(), 200);
  must(again.id === upload.id, "the same picture got two ids");
  const read = await probe.ask("getUpload", { path: { id: upload.id } });
  mustAnswer(read, 200);
  mustHaveType(read, upload.type);
  must(Buffer.from(read.bytes).equals(picture), "an uploaded picture was read back with other bytes");
  const broken = new FormData();
  broken.append("file", new Blob([picture.slice(0, 200)], { type: "image/png" }), "broken.png");
  mustRefuse(await probe.ask("createUpload", { body: broken }), 422, "invalid_image");
  return `${upload.bytes} bytes there and back`;
}

/** One generation: submit with replay, follow, preview, result in every way it can be read. */
export async function checkGeneration(probe: Probe, type: "image" | "video"): Promise<string> {
  const began = performance.now();
  const work = await smallWork(probe, type);
  const key = randomUUID();
  const { task_id: id } = await submit(probe, work, key);
  const replay = await submit(probe, work, key);
  must(replay.task_id === id, "the same Idempotency-Key made a second task");
  const other = await probe.ask("generate", {
    body: { ...work, prompt: "a white castle" },
    headers: { "idempotency-key": key },
  });
  mustRefuse(other, 409, "idempotency_conflict");
  const { last, seen } = await waitForResult(probe, id);
  await checkPreview(probe, id, seen);
  const bytes = await checkResult(probe, last, work.prompt);
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  return `${last.model} ${last.mode}, ${last.result?.width}×${last.result?.height}, ${Math.ceil(bytes / 1000)} kB, ${seconds} s, engine ${last.engine}`;
}

async function checkPreview(probe: Probe, id: string, seen: readonly Status[]): Promise<void> {
  must(
    seen.some((status) => status.preview_url !== null),
    "no preview was shown while it ran or after",
  );
  const preview = await probe.ask("getPreview", { path: { id } });
  mustAnswer(preview, 200);
  must(isMedia(preview) && typeOf(preview).startsWith("image/"), `the preview is no picture but ${typeOf(preview)}`);
}

async function checkResult(probe: Probe, status: Status, prompt: string): Promise<number> {
  const read = (headers: Record<string, string> = {}, search = "") =>
    probe.ask("getResult", { path: { id: status.task_id }, headers, search, within: 120_000 });
  const whole = await read();
  mustAnswer(whole, 200);
  mustHaveType(whole, status.result?.content_type ?? "");
  must(isMedia(whole), `the result does not begin like ${typeOf(whole)}`);
  const size = whole.bytes.length;
  must(Number(whole.headers.get("content-length")) === size, "the result has another length than its header says");
  must(size === status.result?.bytes, `the result has ${size} bytes, the status says ${status.result?.bytes}`);
  await checkRanges(read, whole);
  const etag = whole.headers.get("etag") ?? "";
  must(etag !== "", "the result has no ETag");
  mustAnswer(await read({ "if-none-match": etag }), 304);
  const download = await read({}, "?download=1");
  must(
    (download.headers.get("content-disposition") ?? "").startsWith("attachment"),
    "?download=1 does not make it a download",
  );
  const plain = await read({}, "?metadata=0");
  mustAnswer(plain, 200);
  must(isMedia(plain), "?metadata=0 gives no readable file");
  must(!Buffer.from(plain.bytes).includes(prompt), "?metadata=0 leaves the prompt in the file");
  return size;
}

async function checkRanges(read: (headers: Record<string, string>) => Promise<Answer>, whole: Answer): Promise<void> {
  const size = whole.bytes.length;
  const expectations: [range: string, start: number, end: number][] = [
    ["bytes=10-19", 10, 19],
    ["bytes=-16", size - 16, size - 1],
    [`bytes=${size - 8}-`, size - 8, size - 1],
  ];
  for (const [range, start, end] of expectations) {
    const part = await read({ range });
    mustAnswer(part, 206);
    const said = part.headers.get("content-range");
    must(said === `bytes ${start}-${end}/${size}`, `Range ${range} was answered with Content-Range ${said}`);
    const same = Buffer.from(part.bytes).equals(whole.bytes.subarray(start, end + 1));
    must(same, `Range ${range} was answered with other bytes`);
  }
  mustRefuse(await read({ range: `bytes=${size + 10}-` }), 416, "range_not_satisfiable");
}

const beginnings: Readonly<Record<string, (bytes: Buffer) => boolean>> = {
  "image/png": (bytes) => bytes.subarray(1, 4).toString("latin1") === "PNG",
  "image/jpeg": (bytes) => bytes.readUInt16BE(0) === 0xffd8,
  "image/webp": (bytes) => bytes.subarray(8, 12).toString("latin1") === "WEBP",
  "video/mp4": (bytes) => bytes.subarray(4, 8).toString("latin1") === "ftyp",
  "video/webm": (bytes) => bytes.readUInt32BE(0) === 0x1a45dfa3,
};

function isMedia(answer: Answer): boolean {
  const begins = beginnings[typeOf(answer)];
  if (begins === undefined) throw new BrokenPart(`${answer.request} answered the type ${typeOf(answer) || "(none)"}`);
  return answer.bytes.length > 16 && begins(Buffer.from(answer.bytes));
}

function typeOf({ headers }: Answer): string {
  return (headers.get("content-type") ?? "").split(";")[0]?.trim() ?? "";
}
