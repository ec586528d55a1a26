import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { eventLogEnds } from "../context/event-log.ts";
import type { StreamEvent } from "../events/follow.ts";
import { deleteTask } from "../gallery/delete-task.ts";
import { type Core, openCore, submit } from "../testing/core.ts";
import { failTask, finishTask } from "../testing/stored-tasks.ts";
import { openEventStream } from "./event-stream.ts";

let core: Core;

beforeEach(async () => {
  core = await openCore();
});
afterEach(() => core.close());

async function read(taskId: string, lastEventId?: number): Promise<{ id: number | null; status: string }[]> {
  const resumed = lastEventId === undefined ? {} : { lastEventId };
  const events: { id: number | null; status: string }[] = [];
  for await (const { id, data } of openEventStream(core.context, {
    taskId,
    signal: AbortSignal.timeout(5000),
    ...resumed,
  })) {
    events.push({ id, status: (JSON.parse(data) as { status: string }).status });
  }
  return events;
}

describe("the stream of a task that has ended", () => {
  it("tells its end once and ends", async () => {
    const id = await submit(core);
    await failTask(core.context, id);
    expect(await read(id)).toEqual([{ id: expect.any(Number), status: "failed" }]);
  });

  it("tells everything that was missed before it ends, and nothing twice (Last-Event-ID)", async () => {
    const id = await submit(core);
    await finishTask(core.context, id, new Uint8Array([1]));
    const missed = await read(id, 0);
    expect(missed.map(({ status }) => status)).toEqual(["pending", "processing", "done"]);
    const ids = missed.map(({ id }) => id ?? 0);
    expect(await read(id, ids[0])).toEqual(missed.slice(1));
    expect(await read(id, ids[1])).toEqual(missed.slice(2));
  });

  it("still ends when nothing was missed", async () => {
    const id = await submit(core);
    await finishTask(core.context, id, new Uint8Array([1]));
    const last = (await read(id, 0)).at(-1)?.id ?? 0;
    expect(await read(id, last)).toEqual([{ id: expect.any(Number), status: "done" }]);
  });
});

describe("the stream of a task that is deleted before its state is read", () => {
  it.each([undefined, 0, "newest"])("tells that and ends (Last-Event-ID %s)", async (from) => {
    const id = await submit(core);
    await failTask(core.context, id);
    await deleteTask(core.context, id);
    const { head } = await eventLogEnds(core.context.database.prepareRead);
    const resumed = from === undefined ? {} : { lastEventId: from === "newest" ? head : Number(from) };
    const events: StreamEvent[] = [];
    const signal = AbortSignal.timeout(5000);
    for await (const event of openEventStream(core.context, { taskId: id, signal, ...resumed })) events.push(event);
    expect(signal.aborted).toBe(false);
    expect(events).toEqual([{ id: head, type: "task.deleted", data: JSON.stringify({ task_id: id }) }]);
  });
});
