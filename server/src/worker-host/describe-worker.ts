import { randomUUID } from "node:crypto";
import { freemem, totalmem } from "node:os";
import { catalog, type ModelEntry } from "@safelight/catalog";
import type { Notice } from "@safelight/contract";
import { type WorkerHealth, type WorkerModel, workerProtocol } from "@safelight/contract/worker";
import type { Offer } from "../executors/executor.ts";
import type { WorkerTasks } from "./worker-tasks.ts";

export interface WorkerFacts {
  readonly name: string;
  readonly version: string;
  readonly engine: { readonly name: string; readonly version: string; readonly notice: Notice | null };
  readonly offer: (model: ModelEntry) => Offer;
  readonly limits: (model: ModelEntry) => readonly Notice[];
  /** Whether a task of this model would begin without loading. */
  readonly isWarm: (model: ModelEntry) => boolean;
  /** Milliseconds that an ended task is kept. */
  readonly keepMs: number;
}

/** Answers GET /health from what is in memory. */
export function createHealth(facts: WorkerFacts, tasks: WorkerTasks): () => WorkerHealth {
  const instance = randomUUID();
  const started = performance.now();
  return () => {
    const models = catalog.models.map((model) => describeModel(facts, model));
    return {
      protocol: workerProtocol,
      worker: { name: facts.name, version: facts.version },
      engine: { ...facts.engine, notice: facts.engine.notice === null ? null : { ...facts.engine.notice } },
      instance,
      uptime_s: Math.round(performance.now() - started) / 1000,
      ready: !tasks.isStopping && models.some(({ available }) => available),
      models,
      slots: tasks.slots(),
      busy: tasks.busy(),
      gpus: [],
      memory: { total_bytes: totalmem(), free_bytes: freemem() },
      results_kept_s: Math.floor(facts.keepMs / 1000),
    };
  };
}

function describeModel(facts: WorkerFacts, model: ModelEntry): WorkerModel {
  const offer = facts.offer(model);
  const reason = offer.able ? null : { ...offer.reason };
  return {
    id: model.id,
    type: model.type,
    available: offer.able,
    // The engine brings its weights along.
    weights: "in_place",
    reason,
    warm: offer.able && facts.isWarm(model),
    modes: model.modes.map(({ id }) => ({ id, available: offer.able, reason })),
    limits: facts.limits(model).map((limit) => ({ ...limit })),
  };
}
