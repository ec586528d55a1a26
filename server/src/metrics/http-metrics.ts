import { Histogram, type Registry } from "prom-client";

/** What a request was, without anything that a caller can make up. */
export interface Exchange {
  /** The route's template such as `/status/{id}`; null for addresses that are none. */
  readonly route: string | null;
  readonly method: string;
  readonly status: number;
  readonly seconds: number;
}

const methods = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** Latencies until the answer begins, by route, method and class of the status. Answers what to call for each exchange. */
export function createHttpMetrics(registry: Registry): (exchange: Exchange) => void {
  const histogram = new Histogram({
    name: "safelight_http_request_duration_seconds",
    help: "Time until an answer began, by route template, method and class of the status.",
    labelNames: ["route", "method", "status"] as const,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers: [registry],
  });
  // Looking a child up by its labels costs more than observing: polling takes this way some thousand times a second.
  const children = new Map<string, { observe(seconds: number): void }>();
  return ({ route, method, status, seconds }) => {
    const labels = {
      route: route ?? "none",
      method: methods.has(method) ? method : "other",
      status: `${Math.floor(status / 100)}xx`,
    };
    const key = `${labels.method} ${labels.status} ${labels.route}`;
    let child = children.get(key);
    if (child === undefined) {
      child = histogram.labels(labels);
      children.set(key, child);
    }
    child.observe(seconds);
  };
}
