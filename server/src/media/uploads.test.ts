import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { checkRequest } from "@safelight/catalog";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { submitTask } from "../tasks/submit.ts";
import { createTestClock, type Edge, openEdge } from "../testing/edge.ts";
import { failingFileSystem } from "../testing/failing-file-system.ts";
import { picture } from "../testing/pictures.ts";
import { sweepUploads, uploadLifetime } from "./sweep-uploads.ts";
import { findUpload, isUploadId, receiveUpload, storeUpload, uploadName } from "./uploads.ts";

const clock = createTestClock(Date.now());
const files = failingFileSystem();
let edge: Edge;
beforeEach(async () => {
  clock.set(Date.now());
  edge = await openEdge({ clock, mediaFiles: files });
});
afterEach(() => edge.close());

async function storedNames(): Promise<string[]> {
  const names: string[] = [];
  for await (const name of edge.context.media.list("uploads/")) names.push(name);
  return names;
}

async function rows(): Promise<number> {
  return (await edge.context.database.prepareRead("SELECT id FROM uploads").all()).length;
}

function refer(id: string): Promise<unknown> {
  const request = checkRequest({ model: "pony", mode: "img2img", prompt: "a boat", reference_image: id });
  if (!request.ok) throw new Error(request.detail);
  return submitTask(edge.context, { request, idempotency: null, queueLimit: 10 });
}

describe("uploads", () => {
  test("are named by the hash of their bytes and kept once", async () => {
    const bytes = await picture("png");
    const first = await storeUpload(edge.context, bytes, "image/png");
    const second = await receiveUpload(edge.context, { content: Readable.from([bytes]), type: "image/png" });
    expect(first.known).toBe(false);
    expect(second).toEqual({ upload: first.upload, known: true });
    expect(first.upload.id).toBe(`sha256-${createHash("sha256").update(bytes).digest("hex")}`);
    expect(isUploadId(first.upload.id)).toBe(true);
    expect(await storedNames()).toEqual([uploadName(first.upload)]);
    expect(await rows()).toBe(1);
  });

  test("racing twins make one upload", async () => {
    const bytes = await picture("webp");
    const all = await Promise.all(Array.from({ length: 6 }, () => storeUpload(edge.context, bytes, "image/webp")));
    expect(all.filter(({ known }) => !known)).toHaveLength(1);
    expect(await rows()).toBe(1);
  });

  test("a known picture is still refused under a false name", async () => {
    const bytes = await picture("png");
    await storeUpload(edge.context, bytes, "image/png");
    await expect(storeUpload(edge.context, bytes, "image/jpeg")).rejects.toMatchObject({ code: "invalid_image" });
  });

  test("a refused or broken arrival leaves neither file nor row", async () => {
    const arrivals = [
      Readable.from([Buffer.from("not a picture")]),
      Readable.from([(await picture("png")).subarray(0, 500)]),
      Readable.from(
        (function* () {
          yield Buffer.from("x");
          throw new Error("gone");
        })(),
      ),
      Readable.from(
        (function* () {
          for (let piece = 0; piece < 21; piece += 1) yield Buffer.alloc(1024 * 1024);
        })(),
      ),
    ];
    const codes: unknown[] = [];
    for (const content of arrivals) {
      codes.push(
        await receiveUpload(edge.context, { content, type: null }).catch((error: { code?: string }) => error.code),
      );
    }
    expect(codes).toEqual(["invalid_image", "invalid_image", undefined, "payload_too_large"]);
    expect(await storedNames()).toEqual([]);
    expect(await rows()).toBe(0);
  });

  test("a file that has gone makes its upload unknown, and sending it again brings it back", async () => {
    const bytes = await picture("png");
    const { upload } = await storeUpload(edge.context, bytes, null);
    await edge.context.media.remove(uploadName(upload));
    expect(await findUpload(edge.context, upload.id)).toBeNull();
    expect(await storeUpload(edge.context, bytes, null)).toEqual({ upload, known: false });
    expect(await findUpload(edge.context, upload.id)).toEqual(upload);
  });

  test.each(["ENOSPC", "EIO"])(
    "every disk call failing in turn with %s: no record without its file, and it works afterwards",
    async (code) => {
      const bytes = await picture("png");
      for (let nth = 1; ; nth += 1) {
        files.failAt(nth, code);
        const outcome = await receiveUpload(edge.context, { content: Readable.from([bytes]), type: null }).catch(
          (error: unknown) => error,
        );
        const calls = files.calls;
        files.failAt(null, code);
        const listed = await edge.context.database.prepareRead("SELECT * FROM uploads").all();
        for (const row of listed)
          expect(
            await edge.context.media.stat(uploadName({ id: String(row.id), type: String(row.type) })),
          ).not.toBeNull();
        if (calls < nth) break;
        // The one call that may fail unseen is the removal of the incoming copy.
        if (outcome instanceof Error) expect(outcome).toMatchObject({ code: "storage_unavailable" });
        expect(nth).toBeLessThan(60);
      }
      expect(await rows()).toBe(1);
    },
  );
});

describe("sweepUploads", () => {
  test("removes what nobody used for 24 hours and no task names, and nothing else", async () => {
    const kept = await storeUpload(edge.context, await picture("png"), null);
    const unused = await storeUpload(edge.context, await picture("jpeg"), null);
    await refer(kept.upload.id);
    clock.advance(uploadLifetime - 1000);
    expect(await sweepUploads(edge.context)).toEqual({ uploads: 0, files: 0 });
    const young = await storeUpload(edge.context, await picture("webp"), null);
    clock.advance(2000);
    expect(await sweepUploads(edge.context)).toEqual({ uploads: 1, files: 0 });
    expect(await findUpload(edge.context, unused.upload.id)).toBeNull();
    expect(await findUpload(edge.context, kept.upload.id)).not.toBeNull();
    expect(await findUpload(edge.context, young.upload.id)).not.toBeNull();
    expect((await storedNames()).sort()).toEqual([uploadName(kept.upload), uploadName(young.upload)].sort());
  });

  test("use starts the time anew", async () => {
    const bytes = await picture("png");
    const { upload } = await storeUpload(edge.context, bytes, null);
    clock.advance(uploadLifetime - 1000);
    await storeUpload(edge.context, bytes, null);
    clock.advance(uploadLifetime - 1000);
    expect(await sweepUploads(edge.context)).toEqual({ uploads: 0, files: 0 });
    expect(await findUpload(edge.context, upload.id)).not.toBeNull();
  });

  test("removes files that never got a record, once they are old", async () => {
    const { upload } = await storeUpload(edge.context, await picture("png"), null);
    await edge.context.media.put("uploads/incoming-1", Buffer.from("left behind"));
    await edge.context.media.put(`uploads/sha256-${"a".repeat(64)}.png`, Buffer.from("left behind"));
    expect((await sweepUploads(edge.context)).files).toBe(0);
    clock.set(Date.now() + uploadLifetime + 60_000);
    await refer(upload.id);
    expect(await sweepUploads(edge.context)).toEqual({ uploads: 0, files: 2 });
    expect(await storedNames()).toEqual([uploadName(upload)]);
  });
});
