import type { Mode, ModelId } from "@safelight/catalog";
import type { Executor, Offers, UnavailableReason } from "./executor.ts";

const NOBODY: UnavailableReason = {
  code: "no_workers",
  detail:
    "Nothing here can run this model. The operator can add a workspace that offers it, or set EMBEDDED_ENGINE=auto.",
};

/** What the whole installation can run, asked of its executors in the order in which they would be chosen. */
export function createOffers(executors: readonly Executor[]): Offers {
  return {
    offer(model: ModelId, mode: Mode) {
      let reason = NOBODY;
      for (const executor of executors) {
        const offer = executor.offer(model, mode);
        if (offer.able) return { able: true, executor: executor.name };
        reason = offer.reason;
      }
      return { able: false, reason };
    },
  };
}
