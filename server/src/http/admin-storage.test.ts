import type { Storage } from "@safelight/contract";
import { afterEach, expect, test } from "vitest";
import { type Edge, openEdge } from "../testing/edge.ts";
import { picture } from "../testing/pictures.ts";
import { sendUpload } from "../testing/send-upload.ts";

let edge: Edge;
afterEach(() => edge.close());

async function readStorage(): Promise<Storage> {
  const login = await edge.app.inject({
    method: "POST",
    url: "/admin/session",
    headers: { host: "127.0.0.1", "x-admin-key": edge.adminKey },
  });
  const cookie = String(login.headers["set-cookie"]).split(";")[0] ?? "";
  const answer = await edge.app.inject({ url: "/admin/storage", headers: { host: "127.0.0.1", cookie } });
  expect(answer.statusCode).toBe(200);
  return answer.json<Storage>();
}

test("too little room on the disk: tasks and uploads are refused with the numbers, nothing is written", async () => {
  edge = await openEdge({ environment: { MEDIA_RESERVE: "9000TB" } });
  const task = await edge.inject({ method: "POST", url: "/generate", payload: { model: "pony", prompt: "a boat" } });
  expect(task.statusCode).toBe(503);
  expect(task.json()).toMatchObject({
    code: "storage_unavailable",
    storage: { limit: "disk", limit_bytes: 9e15, free_bytes: expect.any(Number), needed_bytes: expect.any(Number) },
  });
  const upload = await sendUpload(edge, await picture("png"), "image/png");
  expect([upload.statusCode, upload.json()]).toMatchObject([503, { code: "storage_unavailable", storage: {} }]);
  expect((await edge.context.database.prepareRead("SELECT count(*) AS count FROM tasks").get())?.count).toBe(0);
  expect(await readStorage()).toMatchObject({ accepting: false, short_of: "disk", retention_days: null });
  // It is no fault of the server's: operators read it in the parts and the figures.
  expect(edge.logged.filter((line) => line.includes("a request failed"))).toEqual([]);
});

test("a replay of an accepted request is answered however full the disk is", async () => {
  edge = await openEdge({ environment: { MEDIA_QUOTA: "4MB" } });
  const key = { "idempotency-key": "once" };
  const body = { model: "pony", prompt: "a boat", width: 1024, height: 1024 };
  const ask = (headers: Record<string, string>) =>
    edge.inject({ method: "POST", url: "/generate", headers, payload: body });
  await edge.installation.storageCare.letUploadIn(0);
  expect((await ask(key)).statusCode).toBe(202);
  expect(await readStorage()).toMatchObject({ quota_bytes: 4e6, over_quota: "refuse", next_removal: null });
  expect((await ask(key)).statusCode).toBe(202);
});
