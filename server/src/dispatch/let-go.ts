import type { Executor } from "../executors/executor.ts";
import type { Held } from "../queue/lease.ts";
import { isInOtherHands } from "../queue/reclaim.ts";
import { persist, type Workshop } from "./workshop.ts";

/**
 * Ends what goes on at an executor for a task, unless another gateway has picked that run up: ours was silent for longer than its lease,
 * or has just handed it back. What is not known is left alone; a run that nobody watches ends by itself.
 */
export async function letGo(shop: Workshop, held: Held, executor: Executor, end: () => Promise<void>): Promise<void> {
  // Nobody else reaches what goes on inside this gateway.
  if (executor.survivesRestart && (await mayBeElsewhere(shop, held, executor.name))) return;
  await end();
}

async function mayBeElsewhere(shop: Workshop, held: Held, executor: string): Promise<boolean> {
  const { context } = shop;
  try {
    return await persist(shop, () => isInOtherHands(context, held, executor));
  } catch (error) {
    context.log.warn("whether a run is in other hands could not be read", { task_id: held.id, error });
    return true;
  }
}
