// Tasks made over the API, so that a page has something to show without being told to make it.
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect } from "vitest";
import type { Visit } from "./visitor.ts";

/** The quickest picture there is, with this prompt. */
export function smallPicture(prompt: string): Record<string, unknown> {
  return { model: "flux", mode: "txt2img", prompt, width: 512, height: 512, steps: 15 };
}

/** The quickest clip there is, with this prompt. */
export function shortClip(prompt: string): Record<string, unknown> {
  return { model: "phr00t", mode: "t2v", prompt, width: 512, height: 512, num_frames: 49 };
}

/** Submits a task; answers its id. */
export async function submit(visit: Visit, body: Record<string, unknown>): Promise<string> {
  const answer = await fetch(`${visit.url}/generate`, {
    method: "POST",
    headers: { "x-api-key": visit.server.apiKey, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  expect(answer.status, await answer.clone().text()).toBe(202);
  return ((await answer.json()) as { task_id: string }).task_id;
}

/** Waits for the task's end; the server holds each answer until something changes. */
export async function finished(visit: Visit, id: string): Promise<string> {
  for (;;) {
    const answer = await ask(visit, `/status/${id}?wait=20`);
    const { status, error_msg: reason } = (await answer.json()) as { status: string; error_msg: string | null };
    if (status === "done") return id;
    if (status === "failed") throw new Error(`task ${id} failed: ${reason}\n${visit.server.output()}`);
  }
}

/** Submits a task and waits until it is done; answers its id. */
export async function make(visit: Visit, body: Record<string, unknown>): Promise<string> {
  return finished(visit, await submit(visit, body));
}

/** Reads an address as a program with the installation's key does. */
export function ask(visit: Visit, path: string): Promise<Response> {
  return fetch(new URL(path, visit.url), { headers: { "x-api-key": visit.server.apiKey } });
}

/** Changes what is stored while no server runs, then starts it again at the same address. */
export async function whileStopped(visit: Visit, change: (database: DatabaseSync) => void): Promise<void> {
  await visit.server.stop("SIGTERM");
  const database = new DatabaseSync(join(visit.directory, "safelight.sqlite"));
  try {
    change(database);
  } finally {
    database.close();
  }
  await visit.restart("SIGTERM");
}

/**
 * Copies of a stored task, all in one statement: `columns` holds SQL for what differs, with `n` running from 1 to `count`.
 * Files are shared with the task they were copied from.
 */
export function copyTask(
  database: DatabaseSync,
  id: string,
  count: number,
  columns: Readonly<Record<string, string>>,
): void {
  const names = (database.prepare("PRAGMA table_info(tasks)").all() as { name: string }[])
    .map(({ name }) => name)
    .filter((name) => name !== "sequence");
  const values = names.map((name) => columns[name] ?? `tasks.${name}`);
  database
    .prepare(
      `WITH RECURSIVE counted (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM counted WHERE n < ?)
       INSERT INTO tasks (${names.join(", ")}) SELECT ${values.join(", ")} FROM counted, tasks WHERE tasks.id = ? ORDER BY n`,
    )
    .run(count, id);
}
