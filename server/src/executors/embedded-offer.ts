import type { ModelId } from "@safelight/catalog";
import type { EmbeddedEngineMode } from "../config.ts";
import type { AccountStanding } from "../worker-accounts/standings.ts";
import type { Offer } from "./executor.ts";

/**
 * Whether the embedded miniature steps in for a model. `auto` keeps out of the way as soon as any account has offered the
 * model, whatever that account's health: a broken account must show as broken, not as strange pictures. `always` fills in
 * whenever no account is ready.
 */
export function embeddedOffer(setting: EmbeddedEngineMode, model: ModelId, standing: AccountStanding): Offer {
  if (setting === "off") {
    return unable("embedded_engine_off", `No workspace offers ${model}, and the embedded engine is switched off.`);
  }
  if (standing === "ready" || (setting === "auto" && standing === "registered")) {
    return unable("embedded_engine_aside", `The embedded engine leaves ${model} to the workspaces that offer it.`);
  }
  return { able: true };
}

function unable(code: string, detail: string): Offer {
  return { able: false, reason: { code, detail } };
}
