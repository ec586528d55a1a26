/** Why a deployment failed, in our words; what the command said last is added where it helps. */
import type { CommandEnd } from "./command.ts";
import { modalMissingCode } from "./modal-command.ts";

/** Codes of a failed deployment; the page translates by them. */
export type DeployFault =
  | "cancelled"
  | "timed_out"
  | "interrupted"
  | "account_deleted"
  | "credentials_unreadable"
  | "source_missing"
  | "modal_missing"
  | "modal_unreachable"
  | "token_refused"
  | "source_broken"
  | "deploy_failed"
  | "address_unknown";

export interface Failure {
  readonly code: DeployFault;
  readonly detail: string;
}

/** Reasons for which a run is ended from here. */
export const endings = {
  cancelled: "It was cancelled.",
  timed_out: "It took longer than DEPLOY_TIMEOUT allows and was ended.",
  interrupted: "The server stopped while it ran. Deploy again.",
  account_deleted: "The account was deleted meanwhile.",
} as const satisfies Partial<Record<DeployFault, string>>;

export type Ending = keyof typeof endings;

/** Added where the command had succeeded already. */
export const deployedAllTheSame = "Modal has taken the app all the same.";

/** The failure of the modal command. `lastLines`: the end of its output, without secrets. */
export function explainEnd(end: CommandEnd, lastLines: readonly string[]): Failure {
  if (end.notStarted !== null || end.exitCode === modalMissingCode) return modalMissing(end.notStarted !== null);
  const last = lastWords(lastLines);
  if (lastLines.some((line) => /could not connect to the modal server/i.test(line))) {
    return { code: "modal_unreachable", detail: "The server of Modal cannot be reached from here. Try again later." };
  }
  if (lastLines.some((line) => plain(line).startsWith("Traceback (most recent call last)"))) {
    return { code: "source_broken", detail: `The source of the worker cannot be loaded: ${last}` };
  }
  if (/\b(?:tokens?|unauthenticated|credentials)\b/i.test(last)) {
    const advice = "Modal does not take the token of this account. Replace its credentials and deploy again.";
    return { code: "token_refused", detail: `${advice} It said: ${last}` };
  }
  const how = end.exitCode === null ? "was ended by a signal" : `ended with code ${end.exitCode}`;
  return { code: "deploy_failed", detail: `The modal command ${how}${last === "" ? "." : `: ${last}`}` };
}

export function addressUnknown(detail: string): Failure {
  return { code: "address_unknown", detail: `${deployedAllTheSame} ${detail} Deploy again to have it asked for anew.` };
}

function modalMissing(noPython: boolean): Failure {
  const found = noPython ? "Python was not found." : "Python has no modal package.";
  return {
    code: "modal_missing",
    detail: `${found} Install it as docs/operations/deploying.md says, or set MODAL_PYTHON.`,
  };
}

function lastWords(lines: readonly string[]): string {
  const last = lines.map(plain).findLast((line) => /\p{L}/u.test(line)) ?? "";
  return last.replace(/^Error: /, "").slice(0, 300);
}

/** Without the lines that rich draws around a text. */
function plain(line: string): string {
  return line.replace(/[\u2500-\u257f]/g, " ").trim();
}
