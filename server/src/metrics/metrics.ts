/**
 * Metrics in the text format of Prometheus. Labels hold what an operator or the contract names (models, workspaces, route templates,
 * codes) and never what a caller sends. Counters and histograms begin at 0 with the process, as Prometheus expects; gauges are read
 * from the database when they are asked for.
 */
import { collectDefaultMetrics, Gauge, Registry } from "prom-client";
import { createGauges, type GaugeSources } from "./gauges.ts";
import { createHttpMetrics, type Exchange } from "./http-metrics.ts";
import { createTaskMetrics } from "./task-metrics.ts";

export interface Metrics {
  readonly contentType: string;
  /** The text, with everything read anew. */
  read(): Promise<string>;
  /** An answer has begun. */
  observe(exchange: Exchange): void;
  close(): void;
}

export interface MetricsOptions extends GaugeSources {
  /** Memory, CPU, event loop and garbage collection of this process too. */
  readonly ofProcess: boolean;
}

export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry();
  const tasks = createTaskMetrics(registry, options.context);
  const observe = createHttpMetrics(registry);
  const gather = createGauges(registry, options);
  new Gauge({
    name: "safelight_build_info",
    help: "1, with the version of Safelight and of Node.",
    labelNames: ["version", "node"],
    registers: [registry],
  }).set({ version: options.version, node: process.versions.node }, 1);
  if (options.ofProcess) collectDefaultMetrics({ register: registry });
  return {
    contentType: registry.contentType,
    read: async () => {
      await gather();
      await tasks.counted();
      return registry.metrics();
    },
    observe,
    close: () => {
      tasks.stop();
      registry.clear();
    },
  };
}
