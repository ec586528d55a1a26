import { catalog } from "@safelight/catalog";
import { GenerateAnswer } from "@safelight/contract";
import { Ajv } from "ajv";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Edge, openEdge } from "../testing/edge.ts";
import { failingFileSystem } from "../testing/failing-file-system.ts";
import { animatedWebp, dataUri, flatPng, picture } from "../testing/pictures.ts";
import { sendUpload } from "../testing/send-upload.ts";

const files = failingFileSystem();
let edge: Edge;
beforeEach(async () => {
  edge = await openEdge({ mediaFiles: files });
});
afterEach(() => edge.close());

const base = { model: "pony", prompt: "a red boat at sea", width: 512, height: 512 };
const submit = (payload: object, headers: Record<string, string> = {}, target = edge) =>
  target.inject({ method: "POST", url: "/generate", payload, headers });
const tasks = () => edge.context.database.prepareRead("SELECT * FROM tasks ORDER BY sequence").all();
const uploads = () => edge.context.database.prepareRead("SELECT * FROM uploads").all();

async function storedFiles(): Promise<string[]> {
  const names: string[] = [];
  for await (const name of edge.context.media.list("uploads/")) names.push(name);
  return names;
}

async function upload(bytes: Buffer, format: "png" | "jpeg" | "webp"): Promise<string> {
  const answer = await sendUpload(edge, bytes, `image/${format}`);
  return answer.json<{ id: string }>().id;
}

describe("POST /generate", () => {
  test("FR-002, FR-003: answers 202 with the five URLs of a task that is stored with everything in force", async () => {
    const answer = await submit(base);
    expect(answer.statusCode).toBe(202);
    const accepted = answer.json<GenerateAnswer>();
    expect(new Ajv({ strict: false, formats: { uuid: true } }).validate(GenerateAnswer, accepted)).toBe(true);
    const id = accepted.task_id;
    expect(accepted).toEqual({
      task_id: id,
      status: "pending",
      status_url: `/status/${id}`,
      result_url: `/results/${id}`,
      preview_url: `/preview/${id}`,
      cancel_url: `/cancel/${id}`,
      events_url: `/events/${id}`,
    });
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7/);
    expect(answer.headers.location).toBe(accepted.status_url);
    const [row] = await tasks();
    expect(row).toMatchObject({
      id,
      model: "pony",
      type: "image",
      mode: "txt2img",
      status: "pending",
      catalog_version: catalog.catalog_version,
    });
    expect(JSON.parse(String(row?.parameters))).toMatchObject({
      steps: 30,
      cfg_scale: 6,
      output_format: "png",
      seed: row?.seed,
    });
  });

  test("an alias is stored under the id it stands for, and image output is not mp4", async () => {
    expect((await submit({ model: "wan-remix", prompt: "a boat" })).statusCode).toBe(202);
    expect((await submit(base)).statusCode).toBe(202);
    const rows = await tasks();
    expect(rows.map(({ model }) => model)).toEqual(["phr00t", "pony"]);
    expect(
      rows.map(({ parameters }) => (JSON.parse(String(parameters)) as { output_format: string }).output_format),
    ).toEqual(["mp4", "png"]);
  });

  test("URLs are absolute under PUBLIC_BASE_URL", async () => {
    const published = await openEdge({ environment: { PUBLIC_BASE_URL: "https://public.example" } });
    const answer = await submit(base, {}, published);
    const { task_id, status_url } = answer.json<GenerateAnswer>();
    expect(status_url).toBe(`https://public.example/status/${task_id}`);
    await published.close();
  });

  test("a file type without an encoder is refused as an option of its field, before a task exists", async () => {
    const poor = await openEdge({ canEncode: async (format) => format !== "webm" });
    const answer = await submit({ model: "phr00t", prompt: "a boat", output_format: "webm" }, {}, poor);
    expect(answer.json()).toMatchObject({ code: "validation_failed", errors: [{ field: "output_format" }] });
    const models = (await poor.inject({ url: "/models" })).json<{
      models: { id: string; limits: { options?: string[] }[] }[];
    }>().models;
    expect(models.find(({ id }) => id === "phr00t")?.limits).toMatchObject([
      { parameter: "output_format", options: ["webm"] },
    ]);
    expect(models.find(({ id }) => id === "pony")?.limits).toEqual([]);
    expect((await submit({ model: "phr00t", prompt: "a boat", output_format: "mp4" }, {}, poor)).statusCode).toBe(202);
    await poor.close();
  });

  test("the words of the miniature are known before it runs, in lower case and each once (FR-004)", async () => {
    const edge = await openEdge();
    const { known_words: words } = (await edge.inject({ url: "/models" })).json<{ known_words: string[] }>();
    expect(words).toEqual(expect.arrayContaining(["lighthouse", "red", "sea", "spooky", "penguin"]));
    expect(words).not.toContain("zeppelin");
    expect(words).toEqual([...new Set(words.map((word) => word.toLowerCase()))]);
    await edge.close();
  });

  test("202 is never given when nothing can run the task", async () => {
    const offers = {
      offer: () => ({ able: false as const, reason: { code: "embedded_engine_off", detail: "Switch it on." } }),
    };
    const idle = await openEdge({ offers });
    const answer = await submit(base, {}, idle);
    expect(answer.json()).toMatchObject({ code: "no_workers", status: 503, detail: "Switch it on." });
    expect(await idle.context.database.prepareRead("SELECT id FROM tasks").all()).toEqual([]);
    const { models, known_words: words } = (await idle.inject({ url: "/models" })).json<{
      known_words: string[];
      models: { available: boolean; executor: null; unavailable_reason: { code: string } }[];
    }>();
    expect(models).toHaveLength(4);
    expect(words).toEqual([]);
    for (const model of models)
      expect(model).toMatchObject({
        available: false,
        executor: null,
        unavailable_reason: { code: "embedded_engine_off" },
      });
    await idle.close();
  });
});

describe("pictures in a request", () => {
  test("a data URI becomes an upload before the row is written; parameters keep ids only", async () => {
    const bytes = await picture("jpeg");
    const answer = await submit({ ...base, mode: "img2img", reference_image: dataUri(bytes, "jpeg") });
    expect(answer.statusCode).toBe(202);
    const [known] = await uploads();
    const [row] = await tasks();
    expect(known).toMatchObject({ type: "image/jpeg", bytes: bytes.length, width: 96, height: 64 });
    expect((JSON.parse(String(row?.parameters)) as { reference_image: string }).reference_image).toBe(known?.id);
    expect(JSON.stringify(row)).not.toContain("base64");
    const read = await edge.inject({ url: `/uploads/${String(known?.id)}` });
    expect(read.rawPayload.equals(bytes)).toBe(true);
  });

  test("an upload's id works as well, and 16 keyframes of one picture are one upload", async () => {
    const id = await upload(await picture("webp"), "webp");
    expect((await submit({ ...base, mode: "img2img", reference_image: id })).statusCode).toBe(202);
    const image = dataUri(await picture("webp"), "webp");
    const arbitrary_frames = Array.from({ length: 16 }, (_, index) => ({ frame_index: index, image }));
    const answer = await submit({ model: "anisora", mode: "arbitrary_frame", prompt: "a boat", arbitrary_frames });
    expect(answer.statusCode).toBe(202);
    expect((await uploads()).length).toBeLessThanOrEqual(2);
    const references = await edge.context.database.prepareRead("SELECT * FROM task_references").all();
    expect(references).toHaveLength(17);
  });

  test("each bad picture is refused by the name of its field, and nothing is kept", async () => {
    const whole = await picture("png");
    const bad: [string, string][] = [
      ["invalid_image", dataUri(whole.subarray(0, 900), "png")],
      ["invalid_image", dataUri(whole, "jpeg")],
      ["invalid_image", dataUri(Buffer.from("text"), "png")],
      ["invalid_image", dataUri(await animatedWebp(), "webp")],
      ["invalid_image", dataUri(flatPng(8000, 8001), "png")],
      ["invalid_image", `${dataUri(whole, "png").slice(0, -1)}!`],
      ["invalid_image", `data:image/png;base64,${"A".repeat(28 * 1024 * 1024)}`],
      ["validation_failed", "data:image/gif;base64,AAAA"],
      ["validation_failed", "https://pictures.example/a.png"],
      ["validation_failed", "/etc/passwd"],
      ["validation_failed", `sha256-${"0".repeat(64)}`],
      ["validation_failed", `sha256-${"0".repeat(63)}`],
    ];
    for (const [code, image] of bad) {
      const single = await submit({ ...base, mode: "img2img", reference_image: image });
      expect(single.json()).toMatchObject({ code, errors: [{ field: "reference_image" }] });
      const arbitrary_frames = [
        { frame_index: 0, image: dataUri(whole, "png") },
        { frame_index: 5, image },
      ];
      if (image.length > 1_000_000) continue;
      const listed = await submit({ model: "anisora", mode: "arbitrary_frame", prompt: "a boat", arbitrary_frames });
      expect(listed.json()).toMatchObject({ code, errors: [{ field: "arbitrary_frames[1].image" }] });
    }
    expect(await tasks()).toEqual([]);
    expect(await uploads()).toEqual([]);
    expect(await storedFiles()).toEqual([]);
  });

  test.each(["ENOSPC", "EIO"])(
    "every disk call failing in turn with %s gives storage_unavailable and no task",
    async (code) => {
      const reference_image = dataUri(await picture("png"), "png");
      for (let nth = 1; ; nth += 1) {
        files.failAt(nth, code);
        const answer = await submit({ ...base, mode: "img2img", reference_image });
        files.failAt(null, code);
        if (answer.statusCode === 202) break;
        expect(answer.json()).toMatchObject({ code: "storage_unavailable" });
        expect(answer.body).not.toContain(edge.folder);
        expect(await tasks()).toEqual([]);
        expect(nth).toBeLessThan(40);
      }
      expect(await tasks()).toHaveLength(1);
    },
  );
});

describe("Idempotency-Key", () => {
  const key = { "idempotency-key": "order-1" };

  test("the same request gives the first answer again, marked as such, and makes nothing", async () => {
    const first = await submit(base, key);
    const again = await submit(base, key);
    expect(again.statusCode).toBe(202);
    expect(again.json()).toEqual(first.json());
    expect([first.headers["idempotency-replayed"], again.headers["idempotency-replayed"]]).toEqual([undefined, "true"]);
    expect(await tasks()).toHaveLength(1);
  });

  test("bodies are compared by what they mean: order, defaults, alias, and picture by id or data URI", async () => {
    const bytes = await picture("png");
    const id = await upload(bytes, "png");
    const first = await submit({ ...base, mode: "img2img", reference_image: dataUri(bytes, "png") }, key);
    const same = {
      reference_image: id,
      steps: 30,
      output_format: "png",
      seed: -1,
      type: "image",
      mode: "img2img",
      ...base,
    };
    expect((await submit(same, key)).json()).toEqual(first.json());
    expect((await submit({ ...same, steps: 31 }, key)).json()).toMatchObject({ code: "idempotency_conflict" });
    const alias = { "idempotency-key": "order-2" };
    const video = await submit({ model: "wan-remix", prompt: "a boat" }, alias);
    expect((await submit({ model: "phr00t", prompt: "a boat", steps: 4 }, alias)).json()).toEqual(video.json());
  });

  test("twenty clients racing one key get one task", async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => submit(base, key)));
    expect(new Set(answers.map((answer) => answer.json<GenerateAnswer>().task_id)).size).toBe(1);
    expect(answers.every(({ statusCode }) => statusCode === 202)).toBe(true);
    expect(answers.filter(({ headers }) => headers["idempotency-replayed"] === undefined)).toHaveLength(1);
    expect(await tasks()).toHaveLength(1);
  });

  test("racing twins with different bodies: one wins, the other conflicts", async () => {
    const answers = await Promise.all([submit(base, key), submit({ ...base, seed: 5 }, key)]);
    expect(new Set(answers.map(({ statusCode }) => statusCode))).toEqual(new Set([202, 409]));
    expect(await tasks()).toHaveLength(1);
  });

  test("belongs to the credential that sent it; an empty one is none; 255 characters fit", async () => {
    const made = await edge.inject({ method: "POST", url: "/auth/session" });
    const cookie = String(made.headers["set-cookie"]).split(";")[0] ?? "";
    await submit(base, key);
    expect((await submit({ ...base, seed: 9 }, { ...key, "x-api-key": "", cookie })).statusCode).toBe(202);
    expect((await submit(base, { "idempotency-key": "k".repeat(255) })).statusCode).toBe(202);
    expect(await tasks()).toHaveLength(3);
  });

  test("only a 202 is kept: after a refusal the key is free", async () => {
    expect((await submit({ ...base, colour: "red" }, key)).statusCode).toBe(422);
    expect((await submit(base, key)).statusCode).toBe(202);
  });

  test("a replay is answered although the queue is full and nothing can run it any more", async () => {
    const full = await openEdge({ environment: { QUEUE_LIMIT: "1" } });
    const first = await submit(base, key, full);
    const refused = await submit({ ...base, seed: 3 }, {}, full);
    expect(refused.json()).toMatchObject({ code: "queue_full" });
    expect(Number(refused.headers["retry-after"])).toBeGreaterThan(0);
    expect((await submit(base, key, full)).json()).toEqual(first.json());
    await full.close();
  });
});
