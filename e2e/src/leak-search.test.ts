import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterAll, beforeAll, expect, test } from "vitest";
import { LeakSearch, searchInstallation } from "./leak-search.ts";
import { searchInstallationsIn, startServerProcess, temporaryDirectory } from "./server-process.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "safelight-leaks-"));
  mkdirSync(join(folder, "secrets"));
  writeFileSync(join(folder, "secrets/api-key"), "a-key-of-this-test-alone\n");
  const database = new DatabaseSync(join(folder, "safelight.sqlite"));
  database.exec("CREATE TABLE tasks (prompt TEXT); INSERT INTO tasks VALUES ('a lighthouse nobody saw'), ('a boat')");
  database.close();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const secret = 'мой "ключ" +/=&% \\ key';
const others = ["", "x", "xy", "xyz"];

const written: readonly (readonly [form: string, text: string])[] = [
  ["plain", secret],
  ["json", JSON.stringify({ a: secret })],
  ["url", `/path?x=${encodeURIComponent(secret)}`],
  ["url", new URLSearchParams({ q: secret }).toString()],
  ["hex", Buffer.from(secret).toString("hex")],
  ...others.map((before) => ["base64", Buffer.from(`${before}${secret}${before}`).toString("base64")] as const),
  ["base64", Buffer.from(`xy${secret}`).toString("base64url")],
];

test.each(written)("a secret is found as %s: %s", (form, text) => {
  const search = new LeakSearch([{ name: "key", value: secret }]);
  expect(search.inText(`before ${text} after`, "here")).toContainEqual({ name: "key", form, where: "here" });
});

test("nothing is found where nothing is", () => {
  const search = new LeakSearch([{ name: "key", value: secret }]);
  expect(search.inText(secret.slice(1) + secret.slice(0, -1), "here")).toEqual([]);
});

test("an installation is searched for its own secrets and prompts", () => {
  expect(searchInstallation(folder, "all is well, a boat")).toEqual([]);
  expect(searchInstallation(folder, "said: a lighthouse nobody saw")).toMatchObject([{ where: "the log" }]);
  expect(searchInstallation(folder, "key a-key-of-this-test-alone")).toContainEqual({
    name: "api-key",
    form: "plain",
    where: "the log",
  });
  mkdirSync(join(folder, "beside"));
  writeFileSync(join(folder, "beside/proxy.log"), "a-key-of-this-test-alone");
  expect(searchInstallation(folder, "")).toMatchObject([{ name: "api-key", where: "beside/proxy.log" }]);
  rmSync(join(folder, "beside"), { recursive: true });
  writeFileSync(join(folder, "left.tmp"), Buffer.from("a-key-of-this-test-alone").toString("base64"));
  expect(searchInstallation(folder, "")).toMatchObject([{ name: "api-key", form: "base64", where: "left.tmp" }]);
});

test("what a server of a scenario has left in a folder around its data is searched too", async () => {
  const directory = await temporaryDirectory();
  try {
    const data = join(directory.path, "data");
    const server = await startServerProcess(data);
    await server.stop("SIGTERM");
    expect(searchInstallationsIn(directory.path)).toEqual([]);
    writeFileSync(join(directory.path, "proxy.log"), `GET /tasks?api_key=${server.apiKey}`);
    expect(searchInstallationsIn(directory.path)).toMatchObject([{ name: "api-key", where: "proxy.log" }]);
    rmSync(join(directory.path, "proxy.log"));
  } finally {
    await directory.remove();
  }
});
