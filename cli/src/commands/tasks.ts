// `safelight status` and `safelight cancel`: both print where the task stands afterwards.
import type { Status } from "@safelight/contract";
import type { Connection } from "../connection/connect.ts";
import { describeProgress } from "../progress.ts";

/** Prints the task's state; as JSON exactly what the server answered. */
export async function printStatus({ client }: Connection, id: string, json: boolean): Promise<void> {
  print(await client.getStatus({ path: { id } }), json);
}

/** Cancels; a task that had ended already is printed as it ended. */
export async function cancel({ client }: Connection, id: string, json: boolean): Promise<void> {
  print(await client.cancelTask({ path: { id } }), json);
}

function print(status: Status, json: boolean): void {
  process.stdout.write(json ? `${JSON.stringify(status)}\n` : `${statusLines(status).join("\n")}\n`);
}

/** The state of a task for people, most important first. */
export function statusLines(status: Status): string[] {
  const ended = status.status === "done" || status.status === "failed";
  const lines = [`${status.status} ${status.progress}%${ended ? "" : ` ${describeProgress(status)}`}`];
  lines.push(
    `${status.model} ${status.mode}, seed ${status.seed}${status.engine === null ? "" : `, engine ${status.engine}`}`,
  );
  if (status.attempt > 1) lines.push(`attempt ${status.attempt}`);
  if (status.error !== null) lines.push(`${status.error.code}: ${status.error.detail} ${status.error.user_action}`);
  if (status.completed_prompt !== null) lines.push(`prompt as drawn: ${status.completed_prompt}`);
  for (const { code, detail } of notesOf(status)) lines.push(`note: ${code}: ${detail}`);
  if (status.result_url !== null) lines.push(`result: ${status.result_url}`);
  lines.push(`submitted ${status.created_at}${status.finished_at === null ? "" : `, ended ${status.finished_at}`}`);
  return lines;
}

/** The warnings worth a line of their own: that the prompt was completed is said by the prompt as drawn. */
export function notesOf({ warnings }: Status): Status["warnings"] {
  return warnings.filter(({ code }) => code !== "prompt_completed");
}
