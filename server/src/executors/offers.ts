import type { Mode, ModelId } from "@safelight/catalog";
import type { Offers, UnavailableReason } from "./executor.ts";
import type { ExecutorSet } from "./executor-set.ts";

const NOBODY: UnavailableReason = {
  code: "no_workers",
  detail:
    "Nothing here can run this model. The operator can add a workspace that offers it, or set EMBEDDED_ENGINE=auto.",
};

/** Reasons that say more than that nobody has the model: somebody has, and an operator can do something about it. */
const tellingReasons: readonly string[] = ["no_slots", "draining", "not_ready"];

/** What the whole installation can run, asked of its executors in the order in which answers name them. */
export function createOffers(executors: Pick<ExecutorSet, "all">): Offers {
  return {
    offer(model: ModelId, mode: Mode) {
      let reason = NOBODY;
      for (const executor of executors.all()) {
        const offer = executor.offer(model, mode);
        if (offer.able) return { able: true, executor: executor.name };
        if (!tellingReasons.includes(reason.code)) reason = offer.reason;
      }
      return { able: false, reason };
    },
  };
}
