// The command against real servers with the real engine: one that runs already, and the one it starts itself.
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Status } from "@safelight/contract";
import { type RunningServer, startServer } from "@safelight/server";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type CommandRun, runCommand, runHere, startCommand } from "../testing/command.ts";

const small = ["--width", "512", "--height", "512"];
const smallPicture = [...small, "--model", "pony", "--steps", "20"];
const smallClip = [...small, "--num-frames", "49", "--fps", "24"];

let folder: string;
let desk: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "safelight-commands-"));
  desk = join(folder, "desk");
  await mkdir(desk);
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Width and height of a PNG; throws when it is none. */
async function pngSize(file: string): Promise<[width: number, height: number]> {
  const bytes = await readFile(file);
  expect(bytes.subarray(1, 4).toString("latin1")).toBe("PNG");
  return [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
}

describe("with a running server", () => {
  let data: string;
  let server: RunningServer;

  beforeAll(async () => {
    data = await mkdtemp(join(tmpdir(), "safelight-commands-server-"));
    // No deploy of a test leaves this machine: at this port nobody answers.
    const nowhere = { MODAL_SERVER_URL: "http://127.0.0.1:9" };
    server = await startServer({ PORT: "0", DATA_DIR: data, LOG_LEVEL: "silent", ...nowhere });
  });
  afterAll(async () => {
    await server.close();
    await rm(data, { recursive: true, force: true });
  });

  const run = (...parameters: string[]): Promise<CommandRun> => runHere(parameters, { DATA_DIR: data }, desk);
  const statusOf = async (id: string): Promise<Status> =>
    JSON.parse((await run("status", id, "--json")).text) as Status;

  it("makes a picture, saves it whole and tells how it was made", async () => {
    const { code, text, stderr } = await runCommand(
      ["generate", "a red boat", ...smallPicture, "--seed", "7", "-o", "boat.png"],
      { DATA_DIR: data },
      desk,
    );
    expect({ code, text }).toEqual({ code: 0, text: "boat.png\n" });
    expect(await pngSize(join(desk, "boat.png"))).toEqual([512, 512]);
    expect(await readdir(desk)).toEqual(["boat.png"]);
    expect(stderr).toMatch(/^ *\d+% \w+/m);
    expect(stderr).toContain("512×512, seed 7, engine sketch\n");
    expect(stderr).toMatch(/^prompt as drawn: .*boat/m);
    expect(stderr).not.toContain("\u001b[");
  });

  it("makes a clip, its kind chosen by the file name, and prints JSON for programs", async () => {
    const { code, text, stderr } = await run(
      "generate",
      "a red boat on the sea",
      ...smallClip,
      "-o",
      "boat.mp4",
      "--json",
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const told = JSON.parse(text) as Status & { file: string; bytes: number };
    expect(told).toMatchObject({ status: "done", model: "anisora", mode: "t2v", file: "boat.mp4", engine: "sketch" });
    expect(told.result).toMatchObject({ content_type: "video/mp4", width: 512, height: 512, frames: 49, fps: 24 });
    const bytes = await readFile(join(desk, "boat.mp4"));
    expect(bytes.subarray(4, 8).toString("latin1")).toBe("ftyp");
    expect(bytes.length).toBe(told.bytes);
  });

  it("starts from a picture, the mode chosen by the flag, and names the file after the task", async () => {
    await run("generate", "a green boat", ...smallPicture, "-o", "first.png");
    const { code, text } = await run(
      "generate",
      "a red boat",
      ...smallPicture,
      "--reference-image",
      "first.png",
      "--denoising-strength",
      "0.5",
      "--json",
    );
    expect(code).toBe(0);
    const told = JSON.parse(text) as Status & { file: string };
    expect(told).toMatchObject({ model: "pony", mode: "img2img", file: `${told.task_id}.png` });
    expect(await pngSize(join(desk, told.file))).toEqual([512, 512]);
  });

  it("writes to standard output", async () => {
    const { code, stdout } = await runCommand(
      ["generate", "a boat", ...smallPicture, "--output-format", "jpeg", "-o", "-"],
      { DATA_DIR: data },
      desk,
    );
    expect(code).toBe(0);
    expect(stdout.readUInt16BE(0)).toBe(0xffd8);
  });

  it("submits without waiting; status and cancel tell where the task stands", async () => {
    const { code, text } = await run("generate", "a boat", "--model", "phr00t", "--num-frames", "161", "--no-wait");
    expect(code).toBe(0);
    const id = text.trim();
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect((await run("status", id)).text).toMatch(/^(?:pending|processing) \d+% .*\nphr00t t2v, seed \d+/);
    expect((await run("cancel", id)).code).toBe(0);
    await expect.poll(async () => (await statusOf(id)).status).toBe("failed");
    expect((await run("status", id)).text).toContain("cancelled: ");
    expect(await readdir(desk)).toEqual([]);
  });

  it("Ctrl-C, twice in a moment as shells send it, cancels the task once and ends with 130", async () => {
    const command = startCommand(
      ["generate", "a boat", "--model", "anisora", "--num-frames", "161"],
      { DATA_DIR: data },
      desk,
    );
    await command.says(/%/);
    command.signal("SIGINT");
    command.signal("SIGINT");
    const { code, stderr } = await command.done;
    expect(code).toBe(130);
    expect(stderr).toContain("safelight: cancelled: The task was cancelled.\n");
    const page = await server.app.inject({ url: "/tasks?per_page=1", headers: { "x-api-key": server.secrets.apiKey } });
    expect(page.json()).toMatchObject({
      items: [{ model: "anisora", status: "failed", error: { code: "cancelled" } }],
    });
    expect(await readdir(desk)).toEqual([]);
  });

  it("uses the address and key that are given, in this order: flags, then SAFELIGHT_URL and API_KEY", async () => {
    const id = "00000000-0000-7000-8000-000000000000";
    const ask = (parameters: string[], environment: Record<string, string>) =>
      runHere(["status", id, ...parameters], { DATA_DIR: join(folder, "other"), ...environment }, desk);
    const good = await ask(["--url", server.url, "--key", server.secrets.apiKey], {
      SAFELIGHT_URL: "http://127.0.0.1:9",
      API_KEY: "wrong",
    });
    expect(good).toMatchObject({ code: 2, stderr: expect.stringContaining("task_not_found") });
    const environment = await ask([], { SAFELIGHT_URL: `${server.url}/`, API_KEY: server.secrets.apiKey });
    expect(environment).toMatchObject({ code: 2, stderr: expect.stringContaining("task_not_found") });
    const wrong = await ask(["--url", server.url, "--key", "wrong"], {});
    expect(wrong).toMatchObject({ code: 3, stderr: expect.stringContaining("safelight: invalid_api_key: ") });
    expect(await ask(["--url", server.url], {})).toMatchObject({
      code: 3,
      stderr: expect.stringContaining("session_required"),
    });
    expect(existsSync(join(folder, "other"))).toBe(false);
  });

  it("smoke with a wrong key fails and says so part by part", async () => {
    const { code, text } = await run("smoke", "--key", "wrong", "--timeout", "60");
    expect(code).toBe(1);
    expect(text).toMatch(/^ok +health/m);
    expect(text).toMatch(/^FAILED +image .*invalid_api_key/m);
    // The admin key is found in the data directory of the server that answers.
    expect(text).toMatch(/^ok +accounts/m);
    expect(text).toMatch(/^smoke: \d+ passed, \d+ failed$/m);
    const wrong = await run("smoke", "--key", "wrong", "--admin-key", "wrong", "--timeout", "60");
    expect(wrong.text).toMatch(/^FAILED +accounts .*invalid_api_key/m);
  });
});

describe("without a server", () => {
  it("starts one in its own process, under the directory's lock, and ends it; another command joins it meanwhile", async () => {
    const data = join(folder, "data");
    const generate = (name: string) =>
      runCommand(["generate", "a red boat", ...smallPicture, "-o", name], { DATA_DIR: data }, desk);
    const runs = await Promise.all([generate("one.png"), generate("two.png")]);
    expect(runs.map(({ code, stderr }) => (code === 0 ? "ok" : stderr))).toEqual(["ok", "ok"]);
    for (const name of ["one.png", "two.png"]) expect(await pngSize(join(desk, name))).toEqual([512, 512]);
    expect(existsSync(join(data, "server.json"))).toBe(false);
    expect(existsSync(join(data, "safelight.sqlite"))).toBe(true);
  });

  it("does not submit what nothing would run", async () => {
    const { code, stderr } = await runHere(
      ["generate", "a boat", "--no-wait"],
      { DATA_DIR: join(folder, "data") },
      desk,
    );
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining("--no-wait needs a running server") });
  });

  it("says that an address does not answer", async () => {
    const run = await runHere(["status", "x", "--url", "http://127.0.0.1:9"], { DATA_DIR: join(folder, "data") }, desk);
    expect(run).toMatchObject({ code: 3, stderr: expect.stringMatching(/^safelight: unreachable: .*\n$/) });
  });
});

describe("serve", () => {
  it("serves until Ctrl-C, stops gracefully, and refuses a second server and a taken port in one line each", async () => {
    const data = join(folder, "data");
    const first = startCommand(["serve", "--port", "0", "--data-dir", data], {}, desk);
    const [, url = ""] = await first.says(/Safelight is ready: (http:\S+)/);
    expect((await fetch(`${url}/health`)).status).toBe(200);
    const second = await runCommand(["serve", "--port", "0", "--data-dir", data], {}, desk);
    expect(second).toMatchObject({ code: 3, stderr: expect.stringMatching(/^safelight: not_started: [^\n]+\n$/) });
    const port = new URL(url).port;
    const third = await runCommand(["serve", "--port", port, "--data-dir", join(folder, "third")], {}, desk);
    expect(third).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/(?:A secret was made: [^\n]+\n){3}safelight: not_started: PORT: [^\n]+\n$/),
    });
    first.signal("SIGINT");
    first.signal("SIGINT");
    const { code, text, stderr } = await first.done;
    expect(code).toBe(0);
    expect(stderr).toContain("Stopping");
    // Whoever collects the log reads standard output, and every line of it is JSON.
    for (const line of text.trim().split("\n")) expect(JSON.parse(line)).toHaveProperty("msg");
    expect(existsSync(join(data, "server.json"))).toBe(false);
  });

  it("names the files of the secrets it made and never their values", async () => {
    const data = join(folder, "data");
    const rules = join(folder, "rules.json");
    await writeFile(rules, '{"rules": []}');
    const settings = { CONTENT_POLICY_FILE: rules };
    const command = startCommand(["serve", "--port", "0", "--data-dir", data], settings, desk);
    await command.says(/Safelight is ready/);
    // The signal by which services are told to read their files again ends nothing.
    await writeFile(rules, '{"rules": [{"name": "no-boats", "any": ["boat*"]}]}');
    command.signal("SIGHUP");
    await command.says(/the content policy has changed/);
    command.signal("SIGTERM");
    const { text, stderr } = await command.done;
    const key = (await readFile(join(data, "secrets/api-key"), "utf8")).trim();
    expect(stderr).toContain(join(data, "secrets/api-key"));
    expect(text + stderr).not.toContain(key);
  });
});

describe("a program that says what it is", () => {
  it("prints its version", async () => {
    const run = await runCommand(["--version"], { DATA_DIR: join(folder, "data") }, desk);
    expect(run).toMatchObject({ code: 0, text: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });

  it("ends with the code of what went wrong, and one line about it", async () => {
    const run = await runCommand(["paint"], { DATA_DIR: join(folder, "data") }, desk);
    expect(run).toMatchObject({ code: 2, text: "", stderr: "safelight: usage: unknown command 'paint'\n" });
  });
});

describe("wrong command lines end with 2 before anything is started", () => {
  it.each([
    [["generate"], "missing required argument 'prompt'"],
    [["generate", "a boat", "--colour", "red"], "unknown option '--colour'"],
    [["paint"], "unknown command 'paint'"],
    [["generate", "a boat", "--model", "nothing"], 'There is no model "nothing"'],
    [["generate", "a boat", "--steps", "19"], "--steps"],
    [["generate", "a boat", "-o", "boat.mp4", "--model", "pony"], "this model makes the other kind"],
    [["generate", "a boat", "-o", "boat.png", "--output-format", "webp"], "asks for png, --output-format for webp"],
    [["generate", "a boat", "-o", "no/such/boat.png"], "does not exist"],
    [["generate", "a boat", "--reference-image", "none.png"], "none.png cannot be read (ENOENT)"],
    [["generate", "a boat", "--no-wait", "-o", "a.png"], "--no-wait saves nothing"],
    [["generate", "a boat", "--json", "-o", "-"], "both want standard output"],
    [["status", "x", "--url", "ftp://x"], "is not an http or https address"],
    [["status", "x", "--url", "http://a:b@127.0.0.1"], "not in the address"],
    [["smoke", "--timeout", "soon", "--url", "http://127.0.0.1:9"], "--timeout takes seconds"],
  ])("%j", async (parameters, complaint) => {
    const data = join(folder, "data");
    await writeFile(join(desk, "note.txt"), "");
    const { code, text, stderr } = await runHere(parameters, { DATA_DIR: data }, desk);
    expect({ code, text }).toEqual({ code: 2, text: "" });
    expect(stderr).toContain(complaint);
    expect(stderr).toMatch(/^safelight: [a-z_]+: /);
    expect(existsSync(data)).toBe(false);
  });
});
