import { expect, test } from "vitest";
import type { EngineEvent } from "../job/job.ts";
import { EventQueue } from "./event-queue.ts";

const progress = (step: number): EngineEvent => ({
  type: "progress",
  stage: "denoise",
  stageDetail: null,
  step,
  steps: 9,
  progress: step,
});
const preview = (byte: number): EngineEvent => ({
  type: "preview",
  contentType: "image/webp",
  bytes: Uint8Array.of(byte),
});

test("a slow reader gets the newest progress and the newest preview only", async () => {
  const queue = new EventQueue();
  for (const step of [1, 2, 3]) {
    queue.push(progress(step));
    queue.push(preview(step));
  }
  expect([await queue.next(), await queue.next()]).toEqual([progress(3), preview(3)]);
});

test("a reader that waits gets everything", async () => {
  const queue = new EventQueue();
  const read: EngineEvent[] = [];
  for (const event of [progress(1), preview(1), progress(2)]) {
    const next = queue.next();
    queue.push(event);
    read.push(await next);
  }
  expect(read).toEqual([progress(1), preview(1), progress(2)]);
});

test("the first failure ends it, for a reader that waits too", async () => {
  const queue = new EventQueue();
  const waiting = queue.next();
  queue.fail(new Error("first"));
  queue.fail(new Error("second"));
  await expect(waiting).rejects.toThrow("first");
  await expect(queue.next()).rejects.toThrow("first");
});
