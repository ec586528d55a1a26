// kill -9 of `safelight migrate` at one point after the other: in the middle of tables, of the audit log, of files and of their parts, and
// while it compares. Each time it goes on, and what comes of it in the end is the installation.
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type RunningServer, startServer } from "@safelight/server";
import { appendAudit } from "@safelight/server/append-audit";
import { sharedPostgres } from "@safelight/server/testing/postgres-server";
import { startS3Server } from "@safelight/server/testing/s3-server";
import { expect, test } from "vitest";
import { startCommand } from "../testing/command.ts";

const tasks = 3000;
const audited = 2500;
const pictures = 40;
/** Goes over in two parts. */
const clip = randomBytes(9 * 1024 * 1024);

async function fill({ context: { database, media, ...context } }: RunningServer): Promise<void> {
  for (let index = 0; index < pictures; index += 1) await media.put(`results/made-${index}-1.png`, randomBytes(50_000));
  await media.put("results/made-40-1.mp4", clip);
  const sha256 = createHash("sha256").update(clip).digest("hex");
  await database.write(async (tx) => {
    await tx
      .prepare(
        `WITH RECURSIVE numbers (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
         INSERT INTO tasks (id, model, type, mode, prompt, parameters, seed, catalog_version, status, stage, created_at, updated_at, submitted_by,
           result_path, result_type, result_bytes, result_sha256, finished_at)
         SELECT 'made-' || n, 'pony', 'image', 'txt2img', 'lantern ' || n, '{}', n, 'x', iif(n < 41, 'done', 'pending'), 'queued', n, n, 'by ' || (n % 7),
           iif(n < 40, 'results/made-' || n || '-1.png', iif(n = 40, 'results/made-40-1.mp4', NULL)), iif(n < 41, 'image/png', NULL),
           iif(n < 40, 50000, iif(n = 40, ?, NULL)), iif(n = 40, ?, NULL), iif(n < 41, n, NULL)
         FROM numbers`,
      )
      .run(tasks - 1, clip.byteLength, sha256);
    for (let index = 0; index < audited; index += 1) {
      await appendAudit(context, tx, {
        action: "cancel_task",
        target: `made-${index}`,
        outcome: "success",
        details: {},
      });
    }
  });
}

test("killed anywhere, it goes on; every row, every file and the audit log come over (FR-016)", async () => {
  const folder = await mkdtemp(join(tmpdir(), "safelight-migrate-crash-"));
  const [postgres, s3] = await Promise.all([sharedPostgres(), startS3Server()]);
  const url = await postgres.createDatabase({ empty: true });
  try {
    const data = join(folder, "data");
    const server = await startServer({ DATA_DIR: data, PORT: "0", LOG_LEVEL: "silent", EMBEDDED_ENGINE: "off" });
    await fill(server);
    await server.close();

    const { MEDIA_URL, ...keys } = s3.environment;
    const start = (...more: string[]) =>
      startCommand(["migrate", "--media", MEDIA_URL, ...more], { DATA_DIR: data, DATABASE_URL: url, ...keys }, folder);
    const holds = (table: string, rows: number) => async () => {
      const found = await postgres.query(url, `SELECT count(*) AS rows FROM ${table}`).catch(() => []);
      return Number(found[0]?.["rows"] ?? 0) >= rows;
    };
    const points: readonly (() => Promise<boolean>)[] = [
      holds("migrations", 1),
      holds("unfinished_copy", 2),
      holds("tasks", 500),
      holds("tasks", 2500),
      holds("audit_events", 500),
      holds("audit_events", 2000),
      async () => (await s3.objects()).length >= 12,
      async () => (await s3.unfinished()).length > 0,
    ];
    for (const reached of points) {
      const running = start();
      let ended = false;
      void running.done.then(() => {
        ended = true;
      });
      while (!ended && !(await reached())) await sleep(3);
      running.signal("SIGKILL");
      const { code, stderr } = await running.done;
      expect([code, stderr]).toEqual([null, expect.not.stringContaining("safelight:")]);
    }
    const comparing = start();
    await comparing.says(/Comparing/);
    comparing.signal("SIGKILL");
    expect((await comparing.done).code).toBe(null);

    const { code, text, stderr } = await start("--json").done;
    expect([code, stderr]).toEqual([0, expect.stringContaining("Going on")]);
    const moved = JSON.parse(text) as { tables: { name: string; rows: number }[]; audit: object; media: object };
    const rows = Object.fromEntries(moved.tables.map((table) => [table.name, table.rows]));
    expect(rows).toMatchObject({ tasks, audit_events: expect.any(Number) });
    expect(rows["audit_events"]).toBeGreaterThan(audited);
    expect(moved.audit).toEqual({ rows: rows["audit_events"], checkpoints: rows["audit_checkpoints"] });
    expect(moved.media).toMatchObject({ files: pictures + 1, copied: 0, damaged: [], missing: 0 });
    const names = (await readdir(join(data, "media", "results"))).map((name) => `studio/results/${name}`);
    expect((await s3.objects()).filter((key) => key.startsWith("studio/results/"))).toEqual(names.sort());
    const turns = await postgres.query(url, "SELECT waiting FROM queue_size");
    expect(turns).toEqual([{ waiting: String(tasks - pictures - 1) }]);

    const gateway = await startServer({
      DATA_DIR: join(folder, "gateway"),
      PORT: "0",
      LOG_LEVEL: "silent",
      EMBEDDED_ENGINE: "off",
      DATABASE_URL: url,
      API_KEY_FILE: join(data, "secrets", "api-key"),
      AUDIT_KEY_FILE: join(data, "secrets", "audit-key"),
      ENCRYPTION_KEY_FILE: join(data, "secrets", "encryption-key"),
      ...s3.environment,
    });
    const readClip = async () => {
      const chunks: Uint8Array[] = [];
      for await (const chunk of await gateway.context.media.open("results/made-40-1.mp4"))
        chunks.push(chunk as Uint8Array);
      return clip.equals(Buffer.concat(chunks));
    };
    // The storage of a busy machine may take longer than a visitor waits.
    await expect.poll(() => readClip().catch(() => false), { timeout: 120_000 }).toBe(true);
    await gateway.close();
  } finally {
    await postgres.dropDatabase(url);
    await s3.close();
    await rm(folder, { recursive: true, force: true });
  }
}, 600_000);
