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

test("of a reader that falls behind the oldest events are dropped, the newest kept in order", async () => {
  const queue = new EventQueue();
  const steps = Array.from({ length: 300 }, (_, step) => step);
  for (const step of steps) {
    queue.push(progress(step));
    queue.push(preview(step));
  }
  const read: EngineEvent[] = [];
  while (read.length < 256 + 16) read.push(await queue.next());
  expect(read.filter(({ type }) => type === "progress")).toEqual(steps.slice(-256).map(progress));
  expect(read.filter(({ type }) => type === "preview")).toEqual(steps.slice(-16).map(preview));
  expect(read.slice(-2)).toEqual([progress(299), preview(299)]);
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
