import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";

/** What the server on the small disk was answered, step by step. */
interface Report {
  readonly mounted: boolean;
  readonly before: number;
  readonly full: {
    readonly generate: [number, string];
    readonly upload: [number, string];
    readonly health: number;
    readonly status: string;
  };
  readonly after: { readonly generate: number; readonly ended: string; readonly first: string };
}

const source = `
  import { execFileSync } from "node:child_process";
  import { closeSync, openSync, rmSync, writeSync } from "node:fs";
  import { join } from "node:path";
  const folder = process.argv[1];
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=6m", "tmpfs", folder]);
  const { startServer } = await import(${JSON.stringify(import.meta.resolve("./main.ts"))});
  const { picture } = await import(${JSON.stringify(import.meta.resolve("./testing/pictures.ts"))});
  const server = await startServer({ DATA_DIR: folder, PORT: "0", LOG_LEVEL: "silent", MEDIA_RESERVE: "0" });
  const key = { "x-api-key": server.secrets.apiKey };
  const generate = () => fetch(server.url + "/generate", {
    method: "POST",
    headers: { ...key, "content-type": "application/json" },
    body: JSON.stringify({ model: "pony", prompt: "a red boat at sea", width: 512, height: 512, steps: 20 }),
  });
  const upload = async (bytes) => {
    const form = new FormData();
    form.set("file", new Blob([bytes], { type: "image/png" }), "a.png");
    return fetch(server.url + "/uploads", { method: "POST", headers: key, body: form });
  };
  const ended = async (id) => {
    for (;;) {
      const status = await (await fetch(server.url + "/status/" + id + "?wait=10", { headers: key })).json();
      if (status.status === "done" || status.status === "failed") return status.status;
    }
  };
  const codeOf = async (answer) => [answer.status, (await answer.json()).code];
  const bytes = await picture("png", { width: 400, height: 300 });
  const answer = await generate();
  const first = (await answer.json()).task_id;
  await ended(first);
  const filler = join(folder, "filler");
  const fill = () => {
    const handle = openSync(filler, "w");
    try {
      for (const size of [65536, 4096, 512]) {
        try {
          for (;;) writeSync(handle, Buffer.alloc(size));
        } catch (error) {
          if (error.code !== "ENOSPC") throw error;
        }
      }
    } finally {
      closeSync(handle);
    }
  };
  fill();
  // What the log of the database still has room for may be taken; then there is none.
  let refused = await generate();
  for (let more = 0; more < 200 && refused.status === 202; more += 1) refused = await generate();
  const full = {
    generate: await codeOf(refused),
    upload: await codeOf(await upload(bytes)),
    health: (await fetch(server.url + "/health")).status,
    status: (await (await fetch(server.url + "/status/" + first, { headers: key })).json()).status,
  };
  rmSync(filler);
  const again = await generate();
  const id = (await again.json()).task_id;
  const report = {
    mounted: true,
    before: answer.status,
    full,
    after: { generate: again.status, ended: await ended(id), first: await ended(first) },
  };
  console.log(JSON.stringify(report));
  await server.close();
  process.exit(0);
`;

test("a disk that is really full refuses with storage_unavailable, loses nothing, and goes on once there is room", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "safelight-full-"));
  try {
    // In a mount namespace of its own, so that the small disk goes with the process.
    const command = [
      "--map-root-user",
      "--mount",
      process.execPath,
      "--input-type=module-typescript",
      "--eval",
      source,
      folder,
    ];
    const child = spawn("unshare", command, { stdio: ["ignore", "pipe", "pipe"] });
    let printed = "";
    let complained = "";
    child.stdout.on("data", (piece: Buffer) => (printed += piece.toString()));
    child.stderr.on("data", (piece: Buffer) => (complained += piece.toString()));
    const outcome: unknown = await once(child, "close").catch((error: unknown) => error);
    if (outcome instanceof Error || /unshare failed|unshare: |mount: |Command failed: mount/.test(complained)) {
      context.skip("this system lets nobody mount a small disk of their own");
    }
    expect(complained).toBe("");
    const report = JSON.parse(printed) as Report;
    expect(report).toEqual({
      mounted: true,
      before: 202,
      full: {
        generate: [503, "storage_unavailable"],
        upload: [503, "storage_unavailable"],
        health: 200,
        status: "done",
      },
      after: { generate: 202, ended: "done", first: "done" },
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
