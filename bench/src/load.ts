// Load over HTTP by autocannon: bounded in time, loopback only.
import autocannon from "autocannon";

/** What the benchmarks submit. */
export const submission = JSON.stringify({
  model: "pony",
  prompt: "a large red boat on the left at sea at sunset with clouds in the sky",
  width: 512,
  height: 512,
  seed: 1,
});

export interface LoadResult {
  readonly perSecond: number;
  /** Time of every answer, ms. */
  readonly times: number[];
  /** Answers with another status than expected. */
  readonly unexpected: number;
  /** Their statuses, each once; for messages. */
  readonly others: readonly number[];
}

/** Sends the same request over `connections` connections for `seconds` s. */
export async function load(options: {
  url: string;
  method?: "GET" | "POST";
  headers?: Record<string, string>;
  body?: string;
  connections: number;
  seconds: number;
  expectedStatus: number;
}): Promise<LoadResult> {
  const times: number[] = [];
  let unexpected = 0;
  const others = new Set<number>();
  const began = performance.now();
  await new Promise<void>((resolve, reject) => {
    const instance = autocannon(
      {
        url: options.url,
        method: options.method ?? "GET",
        headers: options.headers ?? {},
        ...(options.body === undefined ? {} : { body: options.body }),
        connections: options.connections,
        duration: options.seconds,
      },
      (error: unknown) => (error instanceof Error ? reject(error) : resolve()),
    );
    instance.on("response", (_client, status, _bytes, time) => {
      times.push(time);
      if (status === options.expectedStatus) return;
      unexpected += 1;
      others.add(status);
    });
  });
  return { perSecond: times.length / ((performance.now() - began) / 1_000), times, unexpected, others: [...others] };
}
