// Server-sent events: the stream of one task to its end, the stream of all tasks, and taking a stream up again.
import { type EventType, eventSchemas, pathOf, type RouteName, type Status } from "@safelight/contract";
import { createParser } from "eventsource-parser";
import { BrokenPart, must, mustFit, type Probe } from "./probe.ts";
import { smallWork, submit } from "./work.ts";

interface SeenEvent {
  id: number | null;
  type: string;
  data: unknown;
}

export async function checkEvents(probe: Probe): Promise<string> {
  const work = await smallWork(probe, "image");
  const everything = await openStream(probe, "allEvents", {}, {});
  try {
    const { task_id: id } = await submit(probe, work);
    const inAll = everything.until((event) => isAbout(event, id));
    // Judged below; until then its failure must not be taken for a forgotten one.
    inAll.catch(() => {});
    const events = await (await openStream(probe, "taskEvents", { id }, {})).toEnd();
    await inAll;
    checkStory(events, id);
    await checkResume(probe, id, events);
    return `${events.length} events, resumed in the middle`;
  } finally {
    everything.close();
  }
}

function checkStory(events: readonly SeenEvent[], id: string): void {
  for (const event of events) {
    must(isKnown(event.type), `GET /events/{id} sends ${event.type}, which is no event of the contract`);
    mustFit(`the event ${event.type}`, eventSchemas[event.type], event.data);
    must(isAbout(event, id), "GET /events/{id} sends events of another task");
  }
  const numbers = events.map((event) => event.id).filter((number) => number !== null);
  must(numbers.length >= 3, `GET /events/{id} sent only ${numbers.length} events with an id`);
  must(
    numbers.every((number, index) => index === 0 || number > (numbers[index - 1] ?? 0)),
    "event ids do not rise",
  );
  const progress = updates(events).map((status) => status.progress);
  must(
    progress.some((percent) => percent > 0 && percent < 100),
    "progress was told only at its ends",
  );
  must(updates(events).at(-1)?.status === "done", `the task of the stream ended ${updates(events).at(-1)?.status}`);
}

// What came after the middle must come again, all of it and nothing twice.
async function checkResume(probe: Probe, id: string, events: readonly SeenEvent[]): Promise<void> {
  const numbers = events.map((event) => event.id).filter((number) => number !== null);
  const middle = numbers[Math.floor(numbers.length / 2) - 1] ?? 0;
  const headers = { "last-event-id": String(middle) };
  const again = await (await openStream(probe, "taskEvents", { id }, headers)).toEnd();
  const replayed = again.map((event) => event.id).filter((number) => number !== null);
  const missed = numbers.filter((number) => number > middle);
  must(
    JSON.stringify(replayed) === JSON.stringify(missed),
    `Last-Event-ID ${middle} replayed [${replayed.join(", ")}] instead of [${missed.join(", ")}]`,
  );
}

interface EventStream {
  /** Events up to and including the first that satisfies the condition. */
  until(isLast: (event: SeenEvent) => boolean): Promise<SeenEvent[]>;
  /** All events; the server ends the stream of a task after its last one. */
  toEnd(): Promise<SeenEvent[]>;
  close(): void;
}

async function openStream(
  probe: Probe,
  name: RouteName,
  path: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>>,
): Promise<EventStream> {
  const line = new AbortController();
  const address = pathOf(name, path);
  const response = await probe.open("GET", address, { headers }, AbortSignal.any([probe.signal, line.signal]));
  must(response.status === 200, `GET ${address} answered ${response.status} instead of 200`);
  const type = response.headers.get("content-type") ?? "";
  must(type.startsWith("text/event-stream"), `GET ${address} has the content type ${type}`);
  const until = async (isLast: (event: SeenEvent) => boolean): Promise<SeenEvent[]> => {
    const events: SeenEvent[] = [];
    for await (const event of readEvents(response)) {
      events.push(event);
      if (isLast(event)) return events;
    }
    throw new BrokenPart(`GET ${address} ended before the event that was awaited`);
  };
  const toEnd = async (): Promise<SeenEvent[]> => {
    const events: SeenEvent[] = [];
    for await (const event of readEvents(response)) events.push(event);
    return events;
  };
  return { until, toEnd, close: () => line.abort() };
}

// The connection is ended by its signal alone: cancelling the body while bytes arrive makes fetch of Node 24 throw where
// nobody can catch it.
async function* readEvents(response: Response): AsyncGenerator<SeenEvent> {
  const ready: SeenEvent[] = [];
  const parser = createParser({
    onEvent: ({ id, event, data }) => {
      ready.push({
        id: id === undefined || id === "" ? null : Number(id),
        type: event ?? "message",
        data: parse(data),
      });
    },
  });
  const decoder = new TextDecoder();
  const reader = response.body?.getReader();
  for (;;) {
    const piece = await reader?.read();
    if (piece === undefined || piece.done) return;
    parser.feed(decoder.decode(piece.value, { stream: true }));
    yield* ready.splice(0);
  }
}

function parse(data: string): unknown {
  try {
    return JSON.parse(data);
  } catch {
    throw new BrokenPart("an event carries something that is not JSON");
  }
}

function isKnown(type: string): type is EventType {
  return type in eventSchemas;
}

function updates(events: readonly SeenEvent[]): Status[] {
  return events.filter(({ type }) => type === "task.updated").map(({ data }) => data as Status);
}

function isAbout({ data }: SeenEvent, id: string): boolean {
  return typeof data === "object" && data !== null && "task_id" in data && data.task_id === id;
}
