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
  const others = new AbortController();
  try {
    const everything = await openStream(probe, "allEvents", {}, {}, others.signal);
    const { task_id: id } = await submit(probe, work);
    const inAll = everything.until((event) => isAbout(event, id));
    const events = await (await openStream(probe, "taskEvents", { id }, {})).until(isEnd);
    await inAll;
    checkStory(events, id);
    await checkResume(probe, id, events);
    return `${events.length} events, resumed in the middle`;
  } finally {
    others.abort();
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
  const again = await (await openStream(probe, "taskEvents", { id }, headers)).until(isEnd);
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
}

async function openStream(
  probe: Probe,
  name: RouteName,
  path: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>>,
  ended?: AbortSignal,
): Promise<EventStream> {
  const controller = new AbortController();
  const signal = AbortSignal.any([probe.signal, controller.signal, ...(ended === undefined ? [] : [ended])]);
  const address = pathOf(name, path);
  const response = await probe.open("GET", address, { headers }, signal);
  must(response.status === 200, `GET ${address} answered ${response.status} instead of 200`);
  const type = response.headers.get("content-type") ?? "";
  must(type.startsWith("text/event-stream"), `GET ${address} has the content type ${type}`);
  return {
    until: async (isLast) => {
      const events: SeenEvent[] = [];
      try {
        for await (const event of readEvents(response)) {
          events.push(event);
          if (isLast(event)) return events;
        }
      } finally {
        controller.abort();
      }
      throw new BrokenPart(`GET ${address} ended before the event that was awaited`);
    },
  };
}

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
  for await (const chunk of response.body ?? []) {
    parser.feed(decoder.decode(chunk, { stream: true }));
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

function isEnd({ type, data }: SeenEvent): boolean {
  const { status } = (data ?? {}) as Partial<Status>;
  return type === "task.updated" && (status === "done" || status === "failed");
}
