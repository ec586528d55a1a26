import type { Deployment } from "@safelight/contract";
import { currentLanguage } from "../../../ui/language.ts";
import { absoluteTime, clockTime, duration } from "../../../ui/time.ts";
import { strings } from "./strings.ts";

/** What a deployment is called: the account and the number of the version. */
export function nameOf({ workspace, version }: Deployment): string {
  return strings.version(workspace, version);
}

export const marks: Readonly<Record<Deployment["status"], string>> = {
  queued: "state-waiting",
  running: "state-running",
  done: "state-ready",
  failed: "state-failed",
};

/** Where a deployment stands, as one line. */
export function standingText(deployment: Deployment): string {
  const { status, queued_at, started_at, finished_at, error, kind } = deployment;
  const note = kind === "rollback" ? `, ${strings.rollback}` : "";
  if (status === "queued") return strings.queued + note;
  if (status === "running") return strings.since(clockTime(started_at ?? queued_at)) + note;
  const time = absoluteTime(finished_at ?? queued_at);
  if (status === "failed") return strings.failedAt(time, errorText(error)) + note;
  const seconds = (Date.parse(finished_at ?? queued_at) - Date.parse(started_at ?? queued_at)) / 1000;
  return strings.took(time, duration(Math.max(0, seconds))) + note;
}

function errorText(error: Deployment["error"]): string {
  if (error === null) return strings.errors.other;
  if (currentLanguage() === "en" && error.detail !== "") return error.detail;
  const known: unknown = Reflect.get(strings.errors, error.code);
  return typeof known === "string" ? known : error.detail;
}
