import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { checkOutput, formatOf, outputPath, writeWhole } from "./output-file.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "safelight-output-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it.each([
  ["a.png", "png", "image"],
  ["a.JPG", "jpeg", "image"],
  ["a.webp", "webp", "image"],
  ["b.c/a.mp4", "mp4", "video"],
  ["a.webm", "webm", "video"],
])("%s asks for %s", (file, format, type) => expect(formatOf(file)).toEqual({ format, type }));

it.each([undefined, "-", "a", "a.gif", "png", "a.png/b"])("%s asks for nothing", (file) => {
  expect(formatOf(file)).toBeUndefined();
});

describe("checkOutput and outputPath", () => {
  it("refuses a folder that is not there", async () => {
    await expect(checkOutput(join(folder, "no/a.png"))).rejects.toMatchObject({ exitCode: 2 });
    await expect(checkOutput(join(folder, "a.png"))).resolves.toBeUndefined();
    await expect(checkOutput("-")).resolves.toBeUndefined();
    await expect(checkOutput(undefined)).resolves.toBeUndefined();
  });

  it("makes a name where only a folder was given", async () => {
    await mkdir(join(folder, "out"));
    expect(await outputPath(join(folder, "out"), "id", "image/jpeg; x=1")).toBe(join(folder, "out/id.jpg"));
    expect(await outputPath(undefined, "id", "video/mp4")).toBe("id.mp4");
    expect(await outputPath(join(folder, "a.png"), "id", "image/png")).toBe(join(folder, "a.png"));
  });
});

describe("writeWhole", () => {
  it("writes the bytes over an older file and leaves nothing else behind", async () => {
    const path = join(folder, "a.png");
    await writeFile(path, "older and longer");
    expect(await writeWhole(path, new Response("bytes"))).toBe(5);
    expect(await readFile(path, "utf8")).toBe("bytes");
    expect(await readdir(folder)).toEqual(["a.png"]);
  });

  it("keeps the older file when the new one ends early", async () => {
    const path = join(folder, "a.png");
    await writeFile(path, "older");
    const short = new Response("bytes", { headers: { "content-length": "9" } });
    await expect(writeWhole(path, short)).rejects.toMatchObject({ code: "result_cut" });
    const broken = new ReadableStream({
      pull: (controller) => controller.error(new TypeError("terminated")),
    });
    await expect(writeWhole(path, new Response(broken))).rejects.toThrow("terminated");
    expect(await readFile(path, "utf8")).toBe("older");
    expect(await readdir(folder)).toEqual(["a.png"]);
  });
});
