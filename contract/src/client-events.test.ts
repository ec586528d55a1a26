import type { ServerResponse } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import { ApiError, createClient, type EventsOptions } from "./client.ts";
import type { ServerEvent } from "./schemas/events.ts";
import { type Asked, answerJson, startTestServer, type TestServer } from "./test-server.ts";

let server: TestServer | undefined;

afterEach(async () => {
  await server?.close();
  server = undefined;
});

type Answer = (response: ServerResponse, asked: Asked) => void;

/** Each connection gets the next answer; the last one again and again. */
async function serve(...answers: readonly Answer[]): Promise<TestServer> {
  server = await startTestServer((asked, response, number) =>
    answers[Math.min(number, answers.length - 1)]?.(response, asked),
  );
  return server;
}

function updated(id: number | null, status: string): string {
  return `${id === null ? "" : `id: ${id}\n`}event: task.updated\ndata: ${JSON.stringify({ task_id: "t1", status })}\n\n`;
}

const stream =
  (text: string): Answer =>
  (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" }).end(text);
  };

/** Sends and keeps the line open. */
const open =
  (text: string): Answer =>
  (response) => {
    response.writeHead(200, { "content-type": "text/event-stream" }).write(text);
  };

async function collect(url: string, options: EventsOptions, enough = Number.POSITIVE_INFINITY): Promise<ServerEvent[]> {
  const events: ServerEvent[] = [];
  for await (const event of createClient({ baseUrl: url, apiKey: "k" }).events({ retryMs: 1, ...options })) {
    events.push(event);
    if (events.length >= enough) break;
  }
  return events;
}

const brief = (events: readonly ServerEvent[]): unknown[] =>
  events.map(({ id, type, data }) => [id, type, "status" in data ? data.status : undefined]);

describe("the events of one task", () => {
  test("come in order and end with its last one, though the line stays open", async () => {
    const { url, asked } = await serve(
      open(updated(null, "processing") + updated(4, "processing") + updated(9, "done") + updated(10, "done")),
    );
    expect(brief(await collect(url, { id: "t1" }))).toEqual([
      [null, "task.updated", "processing"],
      [4, "task.updated", "processing"],
      [9, "task.updated", "done"],
    ]);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ url: "/events/t1", headers: { accept: "text/event-stream", "x-api-key": "k" } });
    expect(asked[0]?.headers["last-event-id"]).toBeUndefined();
  });

  test.each(["failed", "done"])("end with %s", async (status) => {
    const { url, asked } = await serve(stream(updated(1, status)));
    expect(await collect(url, { id: "t1" })).toHaveLength(1);
    expect(asked).toHaveLength(1);
  });

  test("end when it is deleted", async () => {
    const { url } = await serve(open('id: 3\nevent: task.deleted\ndata: {"task_id":"t1"}\n\n'));
    expect(await collect(url, { id: "t1" })).toEqual([{ id: 3, type: "task.deleted", data: { task_id: "t1" } }]);
  });

  test("go on over a dropped line after the last event seen (FR-004)", async () => {
    const { url, asked } = await serve(
      (response) => {
        response.writeHead(200).write(updated(5, "processing"), () => response.destroy());
      },
      stream(updated(6, "processing")),
      stream(""),
      stream(updated(7, "done")),
    );
    expect((await collect(url, { id: "t1" })).map(({ id }) => id)).toEqual([5, 6, 7]);
    expect(asked.map(({ headers }) => headers["last-event-id"])).toEqual([undefined, "5", "6", "6"]);
  });

  test("begin after the event that is named", async () => {
    const { url, asked } = await serve(stream(updated(42, "done")));
    await collect(url, { id: "t1", lastEventId: 41 });
    expect(asked[0]?.headers["last-event-id"]).toBe("41");
  });

  test("go on after a line that fell silent", async () => {
    const { url, asked } = await serve(open(updated(1, "processing")), stream(updated(2, "done")));
    expect(await collect(url, { id: "t1", silenceMs: 1_000 })).toHaveLength(2);
    expect(asked).toHaveLength(2);
  });

  test("do not take comments for silence", async () => {
    const { url, asked } = await serve((response) => {
      response.writeHead(200);
      let left = 8;
      const tick = setInterval(() => {
        response.write(left-- > 0 ? ": still here\n\n" : updated(1, "done"));
        if (left < 0) clearInterval(tick);
      }, 200);
    });
    // A moment in which this machine does nothing at all is shorter than such a silence.
    await collect(url, { id: "t1", silenceMs: 1_500 });
    expect(asked).toHaveLength(1);
  });

  test("wait for a server that is away or busy", async () => {
    const busy: Answer = (response) =>
      answerJson(response, 503, { code: "storage_unavailable", detail: "Later." }, { "retry-after": "0" });
    const { url, asked } = await serve(
      busy,
      (response) => response.destroy(),
      (response) => response.writeHead(502).end("proxy"),
      stream(updated(1, "done")),
    );
    expect(await collect(url, { id: "t1" })).toHaveLength(1);
    expect(asked).toHaveLength(4);
  });

  test.each([
    [401, "session_expired"],
    [404, "task_not_found"],
  ])("are refused for good with %i %s", async (status, code) => {
    const { url, asked } = await serve((response) => answerJson(response, status, { code, detail: "No." }));
    await expect(collect(url, { id: "t1" })).rejects.toSatisfy(
      (error) => error instanceof ApiError && error.problem?.code === code,
    );
    expect(asked).toHaveLength(1);
  });
});

describe("the events of all tasks", () => {
  test("go on after tasks have ended, until nobody wants more", async () => {
    const { url, asked } = await serve(
      stream(updated(1, "done")),
      stream(updated(2, "failed")),
      open(updated(3, "done")),
    );
    expect((await collect(url, {}, 3)).map(({ id }) => id)).toEqual([1, 2, 3]);
    expect(asked.map((one) => [one.url, one.headers["last-event-id"]])).toEqual([
      ["/events", undefined],
      ["/events", "1"],
      ["/events", "2"],
    ]);
  });

  test("end quietly on the caller's signal, in the middle of a line and between two", async () => {
    const { url } = await serve(open(updated(1, "processing")));
    const controller = new AbortController();
    const seen: unknown[] = [];
    for await (const event of createClient({ baseUrl: url }).events({ signal: controller.signal })) {
      seen.push(event.id);
      controller.abort();
    }
    expect(seen).toEqual([1]);
    expect(await collect(url, { signal: AbortSignal.abort() })).toEqual([]);
    const away = new AbortController();
    const waiting = collect("http://127.0.0.1:1", { signal: away.signal, retryMs: 60_000 });
    setTimeout(() => away.abort(), 20);
    expect(await waiting).toEqual([]);
  });

  test("hang up when the caller stops listening", async () => {
    let hungUp: () => void = () => {};
    const closed = new Promise<void>((resolve) => {
      hungUp = resolve;
    });
    const { url } = await serve((response) => {
      response.on("close", hungUp);
      response.writeHead(200).write(updated(1, "processing"));
    });
    await collect(url, {}, 1);
    await closed;
  });

  test("pass over what a newer server may send, and keep letters whole that were cut in two", async () => {
    const { url } = await serve((response) => {
      response.writeHead(200);
      const bytes = Buffer.from(
        `event: gallery.tidied\ndata: {}\n\ndata: no type\n\n${'id: 7\nevent: task.preview\ndata: {"task_id":"лодка 🌊",\ndata: "version":1,"preview_url":"/p"}\n\n'}`,
      );
      let sent = 0;
      const push = (): void => {
        if (sent < bytes.length) response.write(bytes.subarray(sent, ++sent), () => setImmediate(push));
      };
      push();
    });
    expect(await collect(url, {}, 1)).toEqual([
      { id: 7, type: "task.preview", data: { task_id: "лодка 🌊", version: 1, preview_url: "/p" } },
    ]);
  });

  test("pass over an event that cannot be read, so that it cannot stop the rest", async () => {
    const broken = "id: 2\nevent: task.updated\ndata: {broken\n\n";
    const { url, asked } = await serve(open(updated(1, "processing") + broken + updated(3, "done")));
    expect((await collect(url, {}, 2)).map(({ id }) => id)).toEqual([1, 3]);
    expect(asked).toHaveLength(1);
  });

  test("report a reset and go on", async () => {
    const { url, asked } = await serve(
      stream(`id: 90\nevent: stream.reset\ndata: {}\n\n${updated(null, "processing")}`),
      open(updated(91, "done")),
    );
    expect(brief(await collect(url, { lastEventId: 3 }, 3))).toEqual([
      [90, "stream.reset", undefined],
      [null, "task.updated", "processing"],
      [91, "task.updated", "done"],
    ]);
    expect(asked.map(({ headers }) => headers["last-event-id"])).toEqual(["3", "90"]);
  });
});

describe("the events of one deployment", () => {
  const deployment = (id: number | null, status: string) =>
    `${id === null ? "" : `id: ${id}\n`}event: deployment.updated\ndata: ${JSON.stringify({ id: "d1", status })}\n\n`;
  const log = (from: number, ...lines: string[]) =>
    `id: ${from + lines.length}\nevent: deployment.log\ndata: ${JSON.stringify({ from, lines })}\n\n`;

  test("come over as many connections as it takes, from the line that was seen last, until it has ended", async () => {
    const { url, asked } = await serve(
      stream(deployment(null, "running") + log(0, "one", "two")),
      open(log(2, "three") + deployment(3, "failed") + deployment(3, "done")),
    );
    const told: unknown[] = [];
    for await (const event of createClient({ baseUrl: url }).deploymentEvents({ id: "d1", retryMs: 1 })) {
      told.push(event.type === "deployment.log" ? event.data.lines : event.data.status);
    }
    expect(told).toEqual(["running", ["one", "two"], ["three"], "failed"]);
    expect(asked.map(({ url: path, headers }) => [path, headers["last-event-id"]])).toEqual([
      ["/admin/deployments/d1/events", undefined],
      ["/admin/deployments/d1/events", "2"],
    ]);
  });

  test("an event of another kind is passed over; a refusal for good is thrown", async () => {
    const { url } = await serve(stream(updated(1, "done") + deployment(0, "done")));
    const types: string[] = [];
    for await (const { type } of createClient({ baseUrl: url }).deploymentEvents({ id: "d1" })) types.push(type);
    expect(types).toEqual(["deployment.updated"]);
    await server?.close();
    const gone = await serve((response) => answerJson(response, 404, { code: "not_found", status: 404 }));
    const follow = createClient({ baseUrl: gone.url }).deploymentEvents({ id: "d1" });
    await expect(follow.next()).rejects.toBeInstanceOf(ApiError);
  });
});
