import type { Notice, WaitingCode } from "@safelight/contract";
import type { AccountRecord } from "./account-record.ts";

export type AccountOffer =
  | { readonly able: true }
  | { readonly able: false; readonly reason: Notice & { readonly code: WaitingCode } };

/**
 * Whether an account may be given tasks of a model and mode: ready, not draining, and both offered with their weights in place. Slots that
 * are taken and runs that fail are another matter. The words name no account, as creators read them too.
 */
export function accountOffer(
  account: Pick<AccountRecord, "status" | "draining" | "models" | "slots">,
  model: string,
  mode: string,
  type: "image" | "video",
): AccountOffer {
  const { status, models } = account;
  const entry = models.find((one) => one.model === model);
  // What was never looked at may offer anything.
  if (entry === undefined && models.length > 0) return unable("model_not_offered", `It does not offer ${model}.`);
  if (status === "disabled") return unable("disabled", "It is switched off.");
  if (account.draining) return unable("draining", "It finishes what runs there and takes no more.");
  if (status !== "ready") return unable("not_ready", "Its last check was not good.");
  if (entry === undefined || !entry.offered) return unable("model_not_offered", `It does not offer ${model} now.`);
  if (!entry.modes.includes(mode)) return unable("mode_not_offered", `It does not offer ${mode} of ${model}.`);
  if (account.slots[type] === 0) return unable("no_slots", `It is set up to take no ${type} tasks.`);
  return { able: true };
}

function unable(code: WaitingCode, detail: string): AccountOffer {
  return { able: false, reason: { code, detail } };
}
