// An installation on SQLite and disk, taken to PostgreSQL and S3 and served from there; broken off, changed, refused.
import { hash } from "node:crypto";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { GalleryPage } from "@safelight/contract";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { recordAudit } from "../audit/append.ts";
import { parseAuditKeys } from "../audit/keys.ts";
import { pruneAudit } from "../audit/prune.ts";
import { verifyAtOnce } from "../audit/verify.ts";
import { readConfig } from "../config.ts";
import { setFavourite } from "../gallery/set-favourite.ts";
import { silentLog } from "../log.ts";
import { type RunningServer, startServer } from "../main.ts";
import { openMedia } from "../media/open-media.ts";
import { storeUpload } from "../media/uploads.ts";
import { submitTask } from "../tasks/submit.ts";
import { requestFor } from "../testing/core.ts";
import { refusalOf } from "../testing/opening-refused.ts";
import { picture } from "../testing/pictures.ts";
import { type PostgresServer, sharedPostgres } from "../testing/postgres-server.ts";
import { type S3Request, type S3Server, startS3Server } from "../testing/s3-server.ts";
import { claimTask, finishTask, showPreview } from "../testing/stored-tasks.ts";
import { type Moved, type MoveOptions, moveInstallation } from "./move.ts";
import { copiedTables, otherTables } from "./tables.ts";

let folder: string;
let postgres: PostgresServer;
let s3: S3Server;
/** What a visitor held before the move. */
let before: { api: string; named: string; session: string; done: string; sha256: string; gallery: GalleryPage };
const data = () => join(folder, "data");

/** A library with a bit of everything, whose server was stopped. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "safelight-move-"));
  [postgres, s3] = await Promise.all([sharedPostgres(), startS3Server()]);
  const server = await startServer({ DATA_DIR: data(), PORT: "0", EMBEDDED_ENGINE: "off", LOG_LEVEL: "silent" });
  try {
    const sources = join(data(), "deployments", "sources");
    await mkdir(sources, { recursive: true });
    const source = JSON.stringify({ files: {} });
    await writeFile(join(sources, hash("sha256", source)), source);
    await writeFile(join(sources, "0".repeat(64)), "not what its name says");
    before = await fill(server);
  } finally {
    await server.close();
  }
});
afterAll(async () => {
  await s3.close();
  await rm(folder, { recursive: true, force: true });
});

async function fill(server: RunningServer): Promise<typeof before> {
  const { context, url, secrets } = server;
  const bytes = await picture("png");
  const { upload } = await storeUpload(context, bytes, "image/png");
  const submit = async (by: string, prompt: string, more: object = {}) => {
    const request = { ...requestFor({ ...more }), prompt };
    const actor = { type: "client" as const, id: by };
    const { answer } = await submitTask({ ...context, actor }, { request, idempotency: null, queueLimit: 99 });
    return answer.task_id;
  };
  const done = await submit("one", "a lantern over the harbour", { mode: "img2img", reference_image: upload.id });
  await finishTask(context, done, bytes);
  await setFavourite(context, done, true);
  for (let index = 0; index < 3; index += 1)
    await finishTask(context, await submit("two", `Ёлка\u0000 ${index}`), bytes);
  const running = await submit("two", "one that runs");
  await claimTask(context, running);
  await showPreview(context, running, 1, await picture("webp"));
  for (const by of ["two", "one", "two"]) await submit(by, "one that waits");
  const session = await fetch(`${url}/auth/session`, { method: "POST" });
  const admin = await fetch(`${url}/admin/session`, { method: "POST", headers: { "x-admin-key": secrets.adminKey } });
  const made = await fetch(`${url}/admin/api-keys`, {
    method: "POST",
    headers: { cookie: cookieOf(admin), "content-type": "application/json" },
    body: JSON.stringify({ name: "camera", scope: "generate" }),
  });
  const { key: named } = (await made.json()) as { key: string };
  const api = secrets.apiKey;
  return {
    api,
    named,
    session: cookieOf(session),
    done,
    sha256: hash("sha256", bytes),
    gallery: await galleryOf(url, { "x-api-key": api }),
  };
}

const cookieOf = (answer: Response) => (answer.headers.get("set-cookie") ?? "").split(";")[0] ?? "";
const galleryOf = async (url: string, headers: Record<string, string>) =>
  (await (await fetch(`${url}/gallery`, { headers })).json()) as GalleryPage;

/** PostgreSQL stores no U+0000. */
const asCopied = (page: GalleryPage) => JSON.parse(JSON.stringify(page).replaceAll("\\u0000", "\ufffd")) as GalleryPage;

let to: string;
beforeEach(async () => {
  to = await postgres.createDatabase({ empty: true });
  return () => postgres.dropDatabase(to);
});

function move(more: Partial<MoveOptions> = {}, settings: Record<string, string> = {}): Promise<Moved> {
  const { mediaBucket: media } = readConfig(s3.environment);
  const config = readConfig({ DATA_DIR: data(), ...settings });
  return moveInstallation({ config, to, media, log: silentLog(), ...more });
}

const moving = (more: Partial<MoveOptions> = {}, settings: Record<string, string> = {}) =>
  move(more, settings).then(() => ({ close: async () => undefined }));

const start = (more: Record<string, string> = {}) =>
  startServer({
    DATA_DIR: join(folder, "gateway"),
    PORT: "0",
    EMBEDDED_ENGINE: "off",
    LOG_LEVEL: "silent",
    DATABASE_URL: to,
    ...s3.environment,
    ...more,
  });

describe("safelight migrate", () => {
  test("takes everything along: a gateway there serves what was served before", async () => {
    const moved = await move();
    expect(moved).toMatchObject({
      resumed: false,
      media: { files: 6, copied: 6, damaged: [], missing: 0 },
      deploySources: 1,
    });
    const rows = Object.fromEntries(moved.tables.map((table) => [table.name, table.rows]));
    expect(rows).toMatchObject({
      tasks: 8,
      uploads: 1,
      task_references: 1,
      sessions: 1,
      admin_sessions: 1,
      api_keys: 1,
    });
    expect(moved.audit).toEqual({ rows: rows["audit_events"], checkpoints: rows["audit_checkpoints"] });
    expect(moved.secrets.map(({ setting }) => setting)).toEqual([
      "API_KEY",
      "ADMIN_KEY",
      "ENCRYPTION_KEY",
      "SESSION_SECRET",
      "AUDIT_KEY",
    ]);
    const secrets = moved.secrets.map(({ setting, file }) => [`${setting}_FILE`, file ?? ""]);
    const gateway = await start(Object.fromEntries(secrets) as Record<string, string>);
    try {
      for (const headers of [{ "x-api-key": before.api }, { "x-api-key": before.named }, { cookie: before.session }])
        expect(await galleryOf(gateway.url, headers)).toEqual(asCopied(before.gallery));
      const result = await fetch(`${gateway.url}/results/${before.done}`, { headers: { "x-api-key": before.api } });
      expect(hash("sha256", await result.bytes())).toBe(before.sha256);
      const found = await fetch(`${gateway.url}/gallery?q=%D0%B5%D0%BB%D0%BA%D0%B0`, {
        headers: { "x-api-key": before.api },
      });
      expect(((await found.json()) as GalleryPage).items).toHaveLength(3);
      const turns = "SELECT credential, waiting FROM queue_turns ORDER BY place";
      expect(await gateway.context.database.prepareRead(turns).all()).toEqual(
        expect.arrayContaining([
          { credential: "two", waiting: expect.any(Number) },
          { credential: "one", waiting: 1 },
        ]),
      );
      const { answer } = await submitTask(gateway.context, {
        request: requestFor(),
        idempotency: null,
        queueLimit: 99,
      });
      const sequence = "SELECT max(sequence) AS last, count(*) AS rows FROM tasks";
      expect(await gateway.context.database.prepareRead(sequence).get()).toEqual({ last: 9, rows: 9 });
      expect(answer.task_id).not.toBe("");
    } finally {
      await gateway.close();
    }
    expect(await refusalOf(moving())).toMatch(/holds an installation already/);
  });

  /** The copy up to the tasks. */
  const breakOff = () =>
    expect(
      move({
        media: null,
        tell: (what) => {
          if (what.startsWith("tasks")) throw new Error("broken off");
        },
      }),
    ).rejects.toThrow("broken off");

  test("broken off, nothing can use the copy; run again, it goes on", async () => {
    await breakOff();
    expect(await refusalOf(start())).toContain('not finished. Run the same "safelight migrate" again');
    expect(await move({ media: null })).toMatchObject({ resumed: true, media: null });
  });

  test("an unfinished copy of another state, or of another installation, is not gone on with", async () => {
    await breakOff();
    await postgres.query(to, "UPDATE unfinished_copy SET value = 'x' WHERE name = 'state'");
    expect(await refusalOf(moving())).toMatch(/has been used since/);
    await postgres.query(to, "UPDATE unfinished_copy SET value = 'x' WHERE name = 'id'");
    expect(await refusalOf(moving())).toMatch(/of another installation/);
  });

  test.each([
    [
      "a value",
      "UPDATE settings SET value = value || 'x'; UPDATE tasks SET seed = seed + 1 WHERE sequence = 2",
      /differs in tasks: 8 rows here, 8 there, with other/,
    ],
    ["a row", "DELETE FROM api_keys", /differs in api_keys: 1 rows here, 0 there/],
    [
      "a row of the audit log that was rewritten",
      "ALTER TABLE audit_events DISABLE TRIGGER ALL; UPDATE audit_events SET source = 'elsewhere' WHERE id = 1; ALTER TABLE audit_events ENABLE TRIGGER ALL",
      /differs in audit_events/,
    ],
  ])("%s that differs in the copy is found, and the copy stays unusable", async (_name, sql, line) => {
    const tell = async (what: string) => {
      if (what === "Comparing.") await postgres.query(to, sql);
    };
    expect(await refusalOf(moving({ media: null, tell }))).toMatch(line);
    expect(await refusalOf(start())).toContain("not finished");
  });

  test("does not begin beside a server, without an installation or a database, or into a bucket in use", async () => {
    const beside = await startServer({ DATA_DIR: data(), PORT: "0", LOG_LEVEL: "silent", EMBEDDED_ENGINE: "off" });
    try {
      expect(await refusalOf(moving())).toMatch(/in use by a server/);
    } finally {
      await beside.close();
    }
    const empty = join(folder, "empty");
    await mkdir(empty);
    expect(await refusalOf(moving({}, { DATA_DIR: empty }))).toMatch(/holds no safelight\.sqlite/);
    expect(await refusalOf(moving({ to: "postgres://nobody@127.0.0.1:1/x" }))).toMatch(/cannot be reached/);
    const reading = readConfig({ ...s3.environment, MEDIA_URL: s3.environment.MEDIA_URL.replace("/studio", "/other") });
    const other = await openMedia({ ...reading, dataDirectory: empty }, silentLog());
    await other.media.put("results/of-another-1.png", new Uint8Array(3));
    other.close();
    expect(await refusalOf(moving({ media: reading.mediaBucket }))).toMatch(
      /media of something else \(results\/of-another/,
    );
    expect(await refusalOf(moving({ media: reading.mediaBucket }, s3.environment))).toMatch(/lie in a bucket already/);
    expect(await refusalOf(moving({ media: null }, s3.environment))).toMatch(/holds results. To take them there/);
  });

  test("a bucket that refuses a file ends the copy in one line, and the next run goes on", async () => {
    const { mediaBucket: media } = readConfig({
      ...s3.environment,
      MEDIA_URL: s3.environment.MEDIA_URL.replace("/studio", "/refusing"),
    });
    const refusing = ({ method, key }: S3Request) => method === "PUT" && key.startsWith("refusing/results/");
    s3.meddle((request) => (refusing(request) ? { status: 403, code: "AccessDenied" } : null));
    try {
      expect(await refusalOf(moving({ media }))).toMatch(/^MEDIA_URL: .*run the same command again: it goes on\.$/);
    } finally {
      s3.meddle(null);
    }
    expect(await move({ media })).toMatchObject({ resumed: true, media: { files: 6, missing: 0 } });
  });

  test("an audit log whose first rows were removed at the end of their retention comes over, and goes on there", async () => {
    const pruned = join(folder, "pruned");
    const settings = { DATA_DIR: pruned, PORT: "0", EMBEDDED_ENGINE: "off", LOG_LEVEL: "silent" };
    const server = await startServer(settings);
    const entry = { action: "cancel_task", target: null, outcome: "success", details: {} } as const;
    for (let index = 0; index < 5; index += 1) await recordAudit(server.context, entry);
    const keys = parseAuditKeys(await readFile(join(pruned, "secrets", "audit-key"), "utf8"));
    if (keys === null) throw new Error("no key");
    const later = { now: () => Date.now() + 100 * 24 * 60 * 60 * 1000, steady: () => server.context.clock.steady() };
    expect(await pruneAudit({ ...server.context, clock: later }, keys)).toBeGreaterThan(4);
    await recordAudit(server.context, entry);
    await server.close();
    const moved = await move({ media: null }, { DATA_DIR: pruned });
    expect(moved.audit.rows).toBe(2);

    const secrets = moved.secrets.map(({ setting, file }) => [`${setting}_FILE`, file ?? ""]);
    const gateway = await start({ DATA_DIR: join(folder, "gateway-of-pruned"), ...Object.fromEntries(secrets) });
    await recordAudit(gateway.context, entry);
    const verdict = await verifyAtOnce(gateway.context.database, keys.publicKeys);
    await gateway.close();
    expect(verdict).toMatchObject({ intact: true });
    expect(verdict.checked).toBeGreaterThan(2);
  });

  test("an audit log that does not hold, or whose key is gone, is not taken along", async () => {
    const broken = join(folder, "broken");
    await cp(data(), broken, { recursive: true });
    const database = new DatabaseSync(join(broken, "safelight.sqlite"));
    database.exec(
      "DROP TRIGGER audit_events_no_update; DROP TRIGGER audit_events_head_updated; UPDATE audit_events SET action = 'no' WHERE id = 2",
    );
    database.close();
    expect(await refusalOf(moving({ media: null }, { DATA_DIR: broken }))).toMatch(/does not hold: Row 2/);
    await rm(join(broken, "secrets", "audit-key"));
    expect(await refusalOf(moving({ media: null }, { DATA_DIR: broken }))).toMatch(/^AUDIT_KEY: /);
  });
});

test("every table of SQLite is copied, or it is said why not", () => {
  const database = new DatabaseSync(join(data(), "safelight.sqlite"), { readOnly: true });
  const names = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  database.close();
  const known = new Set([...copiedTables.map(({ name }) => name), ...otherTables]);
  const loose = names.map(({ name }) => String(name)).filter((name) => !known.has(name));
  expect(loose.filter((name) => !/^(?:sqlite_|(?:task|gallery)_search_)/.test(name))).toEqual([]);
});
