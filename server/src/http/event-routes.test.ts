import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { type EventType, eventSchemas } from "@safelight/contract";
import { Ajv } from "ajv";
import { createParser, type EventSourceMessage } from "eventsource-parser";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sessionLifetime } from "../sessions/sessions.ts";
import { createTestClock, type Edge, openEdge } from "../testing/edge.ts";
import { holdReads } from "../testing/held-database.ts";
import { claimTask, failTask, finishTask, moveTask, showPreview } from "../testing/stored-tasks.ts";
import { formatEvent } from "./send-events.ts";

const clock = createTestClock();
let edge: Edge;
let base = "";
beforeEach(async () => {
  edge = await openEdge({ clock });
  base = await edge.listen();
});
afterEach(() => edge.close());

async function newTask(): Promise<string> {
  const payload = { model: "pony", prompt: "a red boat at sea", width: 512, height: 512 };
  return (await edge.inject({ method: "POST", url: "/generate", payload })).json<{ task_id: string }>().task_id;
}

interface Listening {
  readonly answer: Response;
  readonly events: EventSourceMessage[];
  /** True once the server has ended the stream, whichever way. */
  ended: boolean;
  readonly statuses: () => string[];
  leave(): void;
}

async function listen(
  path: string,
  headers: Record<string, string> = { "x-api-key": edge.apiKey },
): Promise<Listening> {
  const leaving = new AbortController();
  const answer = await fetch(`${base}${path}`, { headers, signal: leaving.signal });
  const events: EventSourceMessage[] = [];
  const parser = createParser({ onEvent: (event) => void events.push(event) });
  const listening: Listening = {
    answer,
    events,
    ended: false,
    statuses: () =>
      events
        .filter(({ event }) => event === "task.updated")
        .map(({ data }) => (JSON.parse(data) as { status: string }).status),
    leave: () => leaving.abort(),
  };
  const read = async (): Promise<void> => {
    const decoder = new TextDecoder();
    try {
      for await (const piece of answer.body ?? []) parser.feed(decoder.decode(piece as Uint8Array, { stream: true }));
    } catch {
      // Cut off rather than closed: ended all the same.
    }
    listening.ended = true;
  };
  void read();
  return listening;
}

describe("GET /events/{id}", () => {
  test("tells the state now, every change, and ends after the last", async () => {
    const id = await newTask();
    const heard = await listen(`/events/${id}`);
    expect(heard.answer.status).toBe(200);
    expect(heard.answer.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expect(heard.answer.headers.get("cache-control")).toBe("no-store");
    expect(heard.answer.headers.get("x-correlation-id")).toBeTruthy();
    await expect.poll(heard.statuses).toEqual(["pending"]);
    await claimTask(edge.context, id);
    await showPreview(edge.context, id, 1, Buffer.from("picture"));
    await moveTask(edge.context, id, { columns: { progress: 50 } });
    await failTask(edge.context, id);
    await expect.poll(() => heard.ended).toBe(true);
    expect(heard.statuses().at(-1)).toBe("failed");
    expect(heard.events.some(({ event }) => event === "task.preview")).toBe(true);
    const ajv = new Ajv({ strict: false, formats: { "date-time": true, uuid: true } });
    for (const { event, data } of heard.events)
      expect(ajv.validate(eventSchemas[event as EventType], JSON.parse(data)), data).toBe(true);
    const ids = heard.events.flatMap((event) => (event.id === undefined ? [] : [Number(event.id)]));
    expect(ids).toEqual([...ids].sort((left, right) => left - right));
    expect(edge.installation.streams.size).toBe(0);
    expect(edge.context.hub.listeners).toBe(0);
  });

  test("a task that has ended is told and closed; one that is not there is a 404", async () => {
    const id = await newTask();
    await finishTask(edge.context, id, Buffer.from("x"));
    const heard = await listen(`/events/${id}`);
    await expect.poll(() => heard.ended).toBe(true);
    expect(heard.statuses()).toEqual(["done"]);
    const unknown = await fetch(`${base}/events/01a1fd98-688e-7d77-bb8c-bc42644b7279`, {
      headers: { "x-api-key": edge.apiKey },
    });
    expect([unknown.status, unknown.headers.get("content-type")]).toEqual([
      404,
      expect.stringContaining("problem+json"),
    ]);
  });

  test("says nothing of other tasks", async () => {
    const [one, two] = [await newTask(), await newTask()];
    const heard = await listen(`/events/${one}`);
    await expect.poll(heard.statuses).toHaveLength(1);
    await failTask(edge.context, two);
    await failTask(edge.context, one);
    await expect.poll(() => heard.ended).toBe(true);
    expect(heard.events.every(({ data }) => data.includes(one))).toBe(true);
  });
});

describe("who leaves before the stream begins", () => {
  test("is not listened for, nor remembered", async () => {
    const made = await fetch(`${base}/auth/session`, { method: "POST" });
    const cookie = made.headers.get("set-cookie")?.split(";")[0] ?? "";
    const held = holdReads(edge.context.database, "FROM sessions WHERE token_hash");
    const { port } = new URL(base);
    const accepted = once(edge.app.server, "connection") as Promise<[Socket]>;
    const caller = connect(Number(port), "127.0.0.1");
    caller.write(`GET /events HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nCookie: ${cookie}\r\n\r\n`);
    const [socket] = await accepted;
    await held.waiting;
    const closed = once(socket, "close");
    caller.destroy();
    await closed;
    held.release();
    // Another stream from its beginning to its end: the first one has had its turn by then.
    const other = await listen("/events");
    other.leave();
    await expect.poll(() => [edge.context.hub.listeners, edge.installation.streams.size]).toEqual([0, 0]);
  });
});

describe("GET /events", () => {
  test.each(["header", "query"])(
    "replays what was missed since Last-Event-ID by %s, without gap or repetition",
    async (way) => {
      const id = await newTask();
      const first = await listen("/events");
      await expect.poll(first.statuses).toEqual(["pending"]);
      await claimTask(edge.context, id);
      await expect.poll(first.statuses).toEqual(["pending", "processing"]);
      const lastSeen = first.events.at(-1)?.id ?? "";
      first.leave();
      for (const progress of [10, 20, 30]) await moveTask(edge.context, id, { columns: { progress } });
      const again =
        way === "header"
          ? await listen("/events", { "x-api-key": edge.apiKey, "last-event-id": lastSeen })
          : await listen(`/events?last_event_id=${lastSeen}`);
      await moveTask(edge.context, id, { columns: { progress: 40 } });
      const progressOf = () =>
        again.events
          .filter((event) => event.id !== undefined && Number(event.id) > Number(lastSeen))
          .map(({ data }) => (JSON.parse(data) as { progress: number }).progress);
      await expect.poll(progressOf).toEqual([10, 20, 30, 40]);
      again.leave();
      await expect.poll(() => edge.context.hub.listeners).toBe(0);
    },
  );

  test("an id from another time is answered by stream.reset; one that is no number starts over", async () => {
    await newTask();
    const future = await listen("/events", { "x-api-key": edge.apiKey, "last-event-id": "999999" });
    await expect.poll(() => future.events.map(({ event }) => event)).toEqual(["stream.reset", "task.updated"]);
    for (const odd of ["abc", "-1", "1.5", "9".repeat(30), ""]) {
      const heard = await listen("/events", { "x-api-key": edge.apiKey, "last-event-id": odd });
      await expect.poll(heard.statuses).toEqual(["pending"]);
      heard.leave();
    }
    future.leave();
  });

  test("ends at once with its session's revocation, and others stay", async () => {
    const session = async () => {
      const made = await fetch(`${base}/auth/session`, { method: "POST" });
      return { cookie: made.headers.get("set-cookie")?.split(";")[0] ?? "" };
    };
    const [one, two] = [await session(), await session()];
    const [first, second] = [await listen("/events", one), await listen("/events", two)];
    const revokedAt = performance.now();
    await fetch(`${base}/auth/session`, { method: "DELETE", headers: one });
    await expect.poll(() => first.ended).toBe(true);
    expect(performance.now() - revokedAt).toBeLessThan(5000);
    expect(second.ended).toBe(false);
    clock.advance(sessionLifetime + 1);
    await expect.poll(() => second.ended, { timeout: 5000 }).toBe(true);
  });

  test("ends when the server stops", async () => {
    const heard = await listen("/events");
    edge.stop();
    await expect.poll(() => heard.ended).toBe(true);
    expect(edge.installation.streams.size).toBe(0);
  });

  test("a listener that leaves is forgotten", async () => {
    const heard = await listen("/events");
    await expect.poll(() => edge.context.hub.listeners).toBe(1);
    heard.leave();
    await expect.poll(() => edge.context.hub.listeners).toBe(0);
    expect(edge.installation.streams.size).toBe(0);
  });

  test("back pressure: a listener that reads nothing costs no memory, and hears the latest when it reads on", async () => {
    const id = await newTask();
    await claimTask(edge.context, id);
    const socket = connect(Number(new URL(base).port), "127.0.0.1");
    await once(socket, "connect");
    socket.pause();
    socket.write(`GET /events HTTP/1.1\r\nHost: localhost\r\nX-API-Key: ${edge.apiKey}\r\n\r\n`);
    await expect.poll(() => edge.context.hub.listeners).toBe(1);
    const detail = "x".repeat(20_000);
    for (let round = 0; round < 1500; round += 1) {
      await moveTask(edge.context, id, { columns: { stage_detail: `${round} ${detail}` } });
    }
    // Some 30 MB were told; what waits for this listener must be a small part of it.
    const { promise, resolve } = Promise.withResolvers<number>();
    edge.app.server.getConnections((_error, count) => resolve(count));
    expect(await promise).toBe(1);
    let text = "";
    socket.setEncoding("utf8").on("data", (piece: string) => {
      text = (text + piece).slice(-100_000);
    });
    socket.resume();
    await expect.poll(() => text.includes(`1499 ${detail.slice(0, 100)}`)).toBe(true);
    socket.destroy();
  });
});

test("an event is a few lines of text; one that is not kept has no id", () => {
  expect(formatEvent({ id: 7, type: "task.deleted", data: '{"task_id":"1"}' })).toBe(
    'id: 7\nevent: task.deleted\ndata: {"task_id":"1"}\n\n',
  );
  expect(formatEvent({ id: null, type: "stream.reset", data: "{}" })).toBe("event: stream.reset\ndata: {}\n\n");
});
