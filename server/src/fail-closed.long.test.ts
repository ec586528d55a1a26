// A server at work while its database is damaged under it, again and again: nobody is let in, nothing that was accepted is lost, and no
// part of it falls over.
import { mkdtemp, open, readFile, rename, rm, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "vitest";
import { silentLog } from "./log.ts";
import { startServer } from "./main.ts";

async function write(file: string, bytes: Buffer, at = 0): Promise<void> {
  const handle = await open(file, "r+");
  await handle.write(bytes, 0, bytes.length, at);
  await handle.close();
}

const faults: readonly { what: string; make: (file: string, kept: Buffer) => Promise<void> }[] = [
  { what: "cut short", make: (file) => truncate(file, 4096) },
  { what: "overwritten", make: (file, kept) => write(file, Buffer.alloc(kept.length - 4096, 0xee), 4096) },
  { what: "moved away", make: (file) => rename(file, `${file}.away`) },
];

test("FR-023: tasks that were accepted end although the database is lost three times in between", async () => {
  const folder = await mkdtemp(join(tmpdir(), "safelight-under-way-"));
  const file = join(folder, "safelight.sqlite");
  const server = await startServer({ DATA_DIR: folder, PORT: "0" }, { log: silentLog() });
  const headers = { "x-api-key": server.secrets.apiKey, "content-type": "application/json" };
  const body = JSON.stringify({ model: "pony", prompt: "a red boat at sea", width: 512, height: 512, steps: 20 });
  const submit = async () => {
    const answer = await fetch(`${server.url}/generate`, { method: "POST", headers, body });
    return { status: answer.status, json: (await answer.json()) as { task_id: string; code?: string } };
  };
  const accepted = [(await submit()).json.task_id, (await submit()).json.task_id];
  const stream = await fetch(`${server.url}/events`, { headers });
  const streamEnded = stream.text().catch(() => "");
  for (const { what, make } of faults) {
    // Pages that stand in the log are read from there, whatever becomes of the file.
    const settling = new DatabaseSync(file);
    settling.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    settling.close();
    const kept = await readFile(file);
    await make(file, kept);
    await pause(100);
    for (let asked = 0; asked < 20; asked += 1) {
      const { status, json } = await submit();
      expect([what, status, json.code]).toEqual([what, 503, "auth_unavailable"]);
      await pause(50);
    }
    if (what === "moved away") await rename(`${file}.away`, file);
    else await write(file, kept);
    await expect
      .poll(async () => (await fetch(`${server.url}/tasks`, { headers })).status, { timeout: 20_000 })
      .toBe(200);
    accepted.push((await submit()).json.task_id);
  }
  await streamEnded;
  for (const id of accepted) {
    let status = "";
    while (!/done|failed/.test(status)) {
      const answer = await fetch(`${server.url}/status/${id}?wait=30`, { headers });
      status = ((await answer.json()) as { status: string }).status;
    }
    expect([id, status]).toEqual([id, "done"]);
  }
  await server.close();
  await rm(folder, { recursive: true });
}, 300_000);
