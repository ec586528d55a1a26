import { createHash } from "node:crypto";
import { once } from "node:events";
import { connect } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { Upload } from "@safelight/contract";
import { Ajv } from "ajv";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Edge, openEdge } from "../testing/edge.ts";
import { flatPng, picture, pngChunk } from "../testing/pictures.ts";

let edge: Edge;
let base = "";
beforeEach(async () => {
  edge = await openEdge();
  base = await edge.listen();
});
afterEach(() => edge.close());

function send(parts: readonly [name: string, value: Blob | string][]): Promise<Response> {
  const form = new FormData();
  for (const [name, value] of parts) form.append(name, value);
  return fetch(`${base}/uploads`, { method: "POST", headers: { "x-api-key": edge.apiKey }, body: form });
}

const image = (bytes: Uint8Array, type = "image/png") => new File([new Uint8Array(bytes)], "picture.png", { type });
const codeOf = async (answer: Response) => [answer.status, ((await answer.json()) as { code: string }).code];

async function filesIn(): Promise<string[]> {
  const names: string[] = [];
  for await (const name of edge.context.media.list("uploads/")) names.push(name);
  return names;
}

describe("POST /uploads", () => {
  test("201 with what was found out, 200 the second time, and the same bytes back", async () => {
    const bytes = await picture("png");
    const first = await send([["file", image(bytes)]]);
    expect(first.status).toBe(201);
    const described = (await first.json()) as Upload;
    expect(new Ajv({ strict: false }).validate(Upload, described)).toBe(true);
    const id = `sha256-${createHash("sha256").update(bytes).digest("hex")}`;
    expect(described).toEqual({
      id,
      type: "image/png",
      bytes: bytes.length,
      width: 96,
      height: 64,
      url: `/uploads/${id}`,
    });
    const second = await send([["file", image(bytes)]]);
    expect([second.status, await second.json()]).toEqual([200, described]);

    const headers = { "x-api-key": edge.apiKey };
    const read = await fetch(`${base}${described.url}`, { headers });
    expect(Buffer.from(await read.arrayBuffer()).equals(bytes)).toBe(true);
    expect(read.headers.get("cache-control")).toContain("immutable");
    const part = await fetch(`${base}${described.url}`, { headers: { ...headers, range: "bytes=0-7" } });
    expect([part.status, part.headers.get("content-range")]).toEqual([206, `bytes 0-7/${bytes.length}`]);
    const same = await fetch(`${base}${described.url}`, {
      headers: { ...headers, "if-none-match": read.headers.get("etag") ?? "" },
    });
    expect(same.status).toBe(304);
    expect((await fetch(`${base}${described.url}`)).status).toBe(401);
  });

  test("exactly 20 MB pass; one byte more is told to who is still sending", async () => {
    const bare = flatPng(64, 64);
    const limit = 20 * 1024 * 1024;
    const filled = (length: number) => flatPng(64, 64, [pngChunk("prVt", Buffer.alloc(length - bare.length - 12))]);
    expect((await send([["file", image(filled(limit))]])).status).toBe(201);
    expect(await codeOf(await send([["file", image(filled(limit + 1))]]))).toEqual([413, "payload_too_large"]);
    expect(await codeOf(await send([["file", image(Buffer.alloc(60 * 1024 * 1024))]]))).toEqual([
      413,
      "payload_too_large",
    ]);
    expect(await filesIn()).toHaveLength(1);
  });

  test("a body without a length is measured as it comes", async () => {
    const body = async function* () {
      yield Buffer.from(
        '--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n',
      );
      for (let piece = 0; piece < 30; piece += 1) yield Buffer.alloc(1024 * 1024);
      yield Buffer.from("\r\n--b--\r\n");
    };
    const answer = await fetch(`${base}/uploads`, {
      method: "POST",
      headers: { "x-api-key": edge.apiKey, "content-type": "multipart/form-data; boundary=b" },
      body: body(),
      duplex: "half",
    } as RequestInit);
    expect(await codeOf(answer)).toEqual([413, "payload_too_large"]);
    expect(await filesIn()).toEqual([]);
  });

  test("anything but one file named file is refused", async () => {
    const file = image(await picture("png"));
    const other = image(await picture("jpeg"), "image/jpeg");
    const refused = [422, "validation_failed"];
    expect(await codeOf(await send([]))).toEqual(refused);
    expect(await codeOf(await send([["picture", file]]))).toEqual(refused);
    expect(await codeOf(await send([["file", "text"]]))).toEqual(refused);
    expect(
      await codeOf(
        await send([
          ["file", file],
          ["file", other],
        ]),
      ),
    ).toEqual(refused);
    expect(
      await codeOf(
        await send([
          ["file", file],
          ["note", "x"],
        ]),
      ),
    ).toEqual(refused);
    expect(
      await codeOf(
        await send([
          ["note", "x"],
          ["file", file],
        ]),
      ),
    ).toEqual(refused);
    expect(await codeOf(await send(Array.from({ length: 50 }, (_, index) => [`f${index}`, "x"])))).toEqual(refused);
  });

  test("what is no such picture is refused, and nothing of it stays", async () => {
    const png = await picture("png");
    for (const file of [
      image(Buffer.from("text")),
      image(Buffer.alloc(0)),
      image(png.subarray(0, 1000)),
      image(png, "image/jpeg"),
      image(png, "image/gif"),
      image(Buffer.from("<svg/>"), "image/svg+xml"),
    ]) {
      expect(await codeOf(await send([["file", file]]))).toEqual([422, "invalid_image"]);
    }
    expect(await filesIn()).toEqual([]);
  });

  test.each([
    ["without a boundary", "multipart/form-data", "anything"],
    ["with another boundary", "multipart/form-data; boundary=other", "--b\r\n\r\n--b--"],
    ["that is no form", "multipart/form-data; boundary=b", "nonsense"],
    [
      "that ends in the head of a part",
      "multipart/form-data; boundary=b",
      '--b\r\nContent-Disposition: form-data; name="fi',
    ],
    ["that is empty", "multipart/form-data; boundary=b", ""],
    ["with a head that never ends", "multipart/form-data; boundary=b", `--b\r\nX: ${"a".repeat(100_000)}`],
  ])("a form %s is refused at once", async (_what, type, body) => {
    const answer = await fetch(`${base}/uploads`, {
      method: "POST",
      headers: { "x-api-key": edge.apiKey, "content-type": type },
      body,
    });
    expect(await codeOf(answer)).toEqual([422, "validation_failed"]);
  });

  test("a sender that leaves in the middle leaves nothing, and the server goes on", async () => {
    const { port } = new URL(base);
    const socket = connect(Number(port), "127.0.0.1");
    await once(socket, "connect");
    socket.write(
      `POST /uploads HTTP/1.1\r\nHost: localhost\r\nX-API-Key: ${edge.apiKey}\r\nContent-Length: 100000\r\n` +
        "Content-Type: multipart/form-data; boundary=b\r\n\r\n" +
        '--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n' +
        "x".repeat(5000),
    );
    await expect.poll(filesIn).toEqual([]);
    await pause(50);
    socket.destroy();
    await once(socket, "close");
    expect((await send([["file", image(await picture("png"))]])).status).toBe(201);
    await expect.poll(filesIn).toHaveLength(1);
  });
});
