/** Uploads and the sum of what is stored, in an installation with several gateways on one media store. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { MediaStore } from "../context/media-store.ts";
import { openInstallation, type TestGateway, type TestInstallation } from "../testing/gateway.ts";
import { Gate } from "../testing/held-database.ts";
import { picture } from "../testing/pictures.ts";
import { sharedPostgres } from "../testing/postgres-server.ts";
import { startCounting } from "./keep-media.ts";
import { SharedUsage } from "./shared-usage.ts";
import { sweepUploads } from "./sweep-uploads.ts";
import { findUpload, storeUpload, uploadIdOf, uploadName } from "./uploads.ts";

let installation: TestInstallation;
let mediaFolder: string;
let [one, other]: [TestGateway, TestGateway] = [] as never;
beforeEach(async () => {
  installation = await openInstallation();
  mediaFolder = await mkdtemp(join(tmpdir(), "safelight-media-"));
  [one, other] = [await installation.open({ mediaFolder }), await installation.open({ mediaFolder })];
});
afterEach(async () => {
  await installation.close();
  await rm(mediaFolder, { recursive: true, force: true });
});

/** The media of a gateway, whose removing waits at a gate. */
function removingAt(gate: Gate, { media }: TestGateway): MediaStore {
  const held: Pick<MediaStore, "entries" | "remove" | "stat"> = {
    entries: (prefix) => media.entries(prefix),
    stat: (name) => media.stat(name),
    remove: async (name) => {
      await gate.pass();
      await media.remove(name);
    },
  };
  return held as MediaStore;
}

test("a picture that is sent to one gateway while another removes it has its file afterwards", async () => {
  const bytes = await picture("png", { width: 64, height: 64 });
  const { upload } = await storeUpload(one.context, bytes, "image/png");
  expect(await storeUpload(other.context, bytes, "image/png")).toMatchObject({ known: true });
  await one.database.write((tx) => tx.prepare("UPDATE uploads SET last_used_at = 1").run());
  const gate = new Gate();
  const sweeping = sweepUploads({ ...one.context, media: removingAt(gate, one) });
  await gate.reached;
  const sending = storeUpload(other.context, bytes, "image/png");
  // Were it not to wait, it would be over by then, and its file would go.
  await Promise.race([sending, pause(500)]);
  gate.open();
  expect(await sweeping).toEqual({ uploads: 1, files: 0 });
  expect(await sending).toMatchObject({ known: false, upload: { id: upload.id } });
  expect(await findUpload(one.context, upload.id)).not.toBeNull();
  expect(await one.media.stat(uploadName(upload))).not.toBeNull();
  expect(await one.database.prepareRead("SELECT * FROM holds").all()).toEqual([]);
});

test("what a gateway that was killed has held does not stay held", async () => {
  const bytes = await picture("png", { width: 64, height: 65 });
  const id = uploadIdOf(bytes);
  await one.database.write((tx) =>
    tx.prepare("INSERT INTO holds VALUES (?, 'killed', ?)").run(`upload ${id}`, one.context.clock.now() + 300),
  );
  expect(await storeUpload(other.context, bytes, "image/png")).toMatchObject({ known: false });
});

test("every gateway knows how much all of them have stored", async () => {
  await one.media.put("results/a-1.png", Buffer.alloc(1000));
  const [first, second] = [new SharedUsage(one.context, one.media), new SharedUsage(other.context, other.media)];
  await second.exchange();
  expect([other.media.isCounted, other.media.usage().bytes]).toEqual([false, 0]);
  await first.count(new AbortController().signal);
  await second.exchange();
  expect(other.media.isCounted).toBe(true);
  await other.media.put("results/b-1.png", Buffer.alloc(500));
  await one.media.put("results/c-1.png", Buffer.alloc(70));
  await one.media.remove("results/a-1.png");
  // At once, and a second time so that each knows of the other.
  await Promise.all([first.exchange(), second.exchange()]);
  await Promise.all([first.exchange(), second.exchange()]);
  for (const { media } of [one, other]) expect(media.usage()).toEqual({ bytes: 570, files: 2 });
  // What cannot be told is kept, and told once it can be.
  const server = await sharedPostgres();
  await server.query(installation.url, "ALTER TABLE settings RENAME TO out_of_reach");
  await one.media.put("results/d-1.png", Buffer.alloc(30));
  await first.exchange();
  expect(one.media.usage()).toEqual({ bytes: 600, files: 3 });
  await server.query(installation.url, "ALTER TABLE out_of_reach RENAME TO settings");
  await first.exchange();
  await second.exchange();
  for (const { media } of [one, other]) expect(media.usage()).toEqual({ bytes: 600, files: 3 });
});

test("one of them counts, and goes by its count for an hour", async () => {
  await one.media.put("results/a-1.png", Buffer.alloc(1000));
  const ends = [one, other].map(({ context, media }) => startCounting(context, media));
  for (const { media } of [one, other]) await expect.poll(() => media.usage()).toEqual({ bytes: 1000, files: 1 });
  await other.media.put("results/b-1.png", Buffer.alloc(500));
  await expect.poll(() => one.media.usage()).toEqual({ bytes: 1500, files: 2 });
  for (const end of ends) await end();
});
