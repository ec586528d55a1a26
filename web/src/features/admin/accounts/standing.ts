// How an account stands, in the words and marks of the table.
import type { Account } from "@safelight/contract";
import { clockTime } from "../../../ui/time.ts";
import { checkWords } from "./check-words.ts";
import { strings } from "./strings.ts";

export type Standing = Account["status"] | "draining" | "resting";

/** The status, or what an operator has to know beside it while it is ready. */
export function standingOf({ status, draining, circuit }: Account): Standing {
  if (status !== "ready") return status;
  if (draining) return "draining";
  return circuit.state === "closed" ? "ready" : "resting";
}

/** Class that gives a standing its mark: each has a shape of its own. */
export const marks: Readonly<Record<Standing, string>> = {
  pending: "state-waiting",
  ready: "state-ready",
  failed: "state-failed",
  disabled: "state-off",
  draining: "state-draining",
  resting: "state-waiting",
};

export interface StandingNote {
  text: string;
  bad: boolean;
}

/** The second line of a row: why it is not simply ready; null when it is. */
export function noteOf(account: Account): StandingNote | null {
  const { status, circuit, last_error, last_error_code, last_health_at } = account;
  if (status === "disabled") return null;
  if (status === "failed") return { text: checkWords(last_error_code, last_error), bad: true };
  if (status === "pending") return { text: pendingText(account), bad: false };
  if (account.draining) return { text: strings.drainingNote(runningOn(account)), bad: false };
  if (circuit.state === "half_open") return { text: strings.probingNote, bad: false };
  if (circuit.state === "open" && circuit.until !== null)
    return { text: strings.restingNote(clockTime(circuit.until)), bad: false };
  return last_error === null || last_health_at === null
    ? null
    : { text: checkWords(last_error_code, last_error), bad: false };
}

function pendingText({ kind, base_url, last_error, last_error_code, last_health_at }: Account): string {
  if (kind === "modal" && base_url === null) return strings.undeployedNote;
  if (last_health_at === null) return strings.checkingNote;
  return last_error === null ? strings.unreachedNote : checkWords(last_error_code, last_error);
}

/** Tasks of both types that run there now. */
export function runningOn({ running }: Account): number {
  return running.image + running.video;
}
