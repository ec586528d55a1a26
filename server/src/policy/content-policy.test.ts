import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { StartupError } from "../errors.ts";
import { silentLog } from "../log.ts";
import { ContentPolicy } from "./content-policy.ts";
import { parsePolicy } from "./policy-file.ts";

let folder: string;
let file: string;
const closers: (() => unknown)[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "safelight-policy-"));
  file = join(folder, "policy.json");
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  await rm(folder, { recursive: true });
});

const question = (prompt: string, negative_prompt = "") => ({
  prompt,
  negative_prompt,
  model: "flux",
  mode: "txt2img",
  type: "image",
});

function open(settings: {
  file?: boolean;
  url?: string;
  onFailure?: "refuse" | "accept";
  timeoutMs?: number;
  secret?: string;
}): ContentPolicy {
  const { url, onFailure = "refuse", timeoutMs = 20_000, secret = null } = settings;
  const moderation = url === undefined ? null : { url, secret, timeoutMs, onFailure };
  const contentPolicyFile = settings.file === true ? file : null;
  const policy = new ContentPolicy({ contentPolicyFile, moderation, workerNetworks: [] }, silentLog());
  closers.push(() => policy.close());
  return policy;
}

const ruleOf = async (policy: ContentPolicy, prompt: string, negative = "") =>
  (await policy.judge(question(prompt, negative)))?.rule ?? null;

describe("the operator's file of rules", () => {
  const rules = {
    rules: [
      { name: "no-weapons", any: ["rifle*", "hand grenade"], message: "No weapons here." },
      {
        name: "no-mascot",
        all: [
          ["Blue Fox", "Голубая лиса"],
          ["logo", "poster*"],
        ],
        except: ["film poster"],
      },
      { name: "no-smoke", any: ["smoke"], fields: ["prompt", "negative_prompt"] },
    ],
    exceptions: ["naked gun film"],
  };

  test("adds to the built-in rules, with terms alone or together, in the texts it names", async () => {
    await writeFile(file, JSON.stringify(rules));
    const policy = open({ file: true });
    expect(policy.state).toEqual({ rules: 3, fault: null, moderation: null });
    expect(await policy.judge(question("two riflemen"))).toEqual({
      rule: "no-weapons",
      field: "prompt",
      message: "No weapons here.",
      unjudged: false,
    });
    expect(await ruleOf(policy, "a h@nd gr3nade")).toBe("no-weapons");
    expect(await ruleOf(policy, "a hand, a garden")).toBeNull();
    expect(await ruleOf(policy, "the BLUE FOX on posters")).toBe("no-mascot");
    expect(await ruleOf(policy, "логотип: logo, голубая лиса")).toBe("no-mascot");
    expect(await ruleOf(policy, "a blue fox in the snow")).toBeNull();
    expect(await ruleOf(policy, "a blue fox, film poster")).toBeNull();
    expect(await ruleOf(policy, "a lake", "smoke")).toBe("no-smoke");
    expect(await ruleOf(policy, "a lake", "rifle")).toBeNull();
    expect(await ruleOf(policy, "naked gun film, kids in a cinema")).toBeNull();
    expect(await ruleOf(policy, "naked kids")).toBe("sexual-minors");
  });

  test("is in force with the request after a change; a bad one leaves the rules as they were", async () => {
    await writeFile(file, JSON.stringify(rules));
    const policy = open({ file: true });
    await writeFile(file, JSON.stringify({ rules: [{ name: "no-boats", any: ["boat*"] }] }));
    expect(await ruleOf(policy, "two boats")).toBe("no-boats");
    expect(await ruleOf(policy, "a rifle")).toBeNull();
    await writeFile(file, '{"rules": [');
    expect(await ruleOf(policy, "two boats")).toBe("no-boats");
    expect(policy.state.fault).toBe("is not JSON");
    await rm(file);
    expect(await ruleOf(policy, "two boats")).toBe("no-boats");
    expect(policy.state.fault).toBe("cannot be read (ENOENT)");
    await writeFile(file, JSON.stringify({ rules: [] }));
    expect(await ruleOf(policy, "two boats")).toBeNull();
    expect(policy.state).toEqual({ rules: 0, fault: null, moderation: null });
  });

  test("is read by a signal too, where the file system does not tell of the change", async () => {
    const when = new Date(2026, 1, 1);
    const texts = ["boat", "fish"].map((term) => JSON.stringify({ rules: [{ name: "one", any: [term] }] }));
    await writeFile(file, texts[0] ?? "");
    await utimes(file, when, when);
    const policy = open({ file: true });
    await writeFile(file, texts[1] ?? "");
    policy.reload();
    expect(await ruleOf(policy, "a fish")).toBe("one");
  });

  test.each([
    ["[]", /the file: must be an object/],
    ['{"rule": []}', /"rule", which is none of rules, exceptions/],
    ['{"rules": {}}', /rules: must be a list/],
    ['{"rules": [{"name": "No Boats", "any": ["boat"]}]}', /rules\[0\]\.name/],
    ['{"rules": [{"name": "a"}]}', /either any .* or all/],
    ['{"rules": [{"name": "a", "any": ["x"], "all": [["x"]]}]}', /either any .* or all/],
    ['{"rules": [{"name": "a", "any": []}]}', /must be a list of terms/],
    ['{"rules": [{"name": "a", "any": ["***"]}]}', /a word or a few/],
    ['{"rules": [{"name": "a", "any": [5]}]}', /a word or a few/],
    ['{"rules": [{"name": "a", "all": [["boat"], []]}]}', /list 2/],
    ['{"rules": [{"name": "a", "any": ["boat"], "fields": ["mode"]}]}', /fields/],
    ['{"rules": [{"name": "a", "any": ["boat"], "message": 5}]}', /message/],
    ['{"rules": [{"name": "a", "any": ["boat"], "regex": "(a+)+"}]}', /"regex"/],
    [`{"rules": [], "exceptions": ["${"x".repeat(101)}"]}`, /exceptions/],
    [" ".repeat(300_000), /larger than/],
  ])("%s is refused by its place", (text, problem) => {
    expect(() => parsePolicy(text)).toThrow(problem);
  });

  test("keeps the server from starting where it is missing or wrong", async () => {
    expect(() => open({ file: true })).toThrow(
      new StartupError(`CONTENT_POLICY_FILE: ${file} cannot be read (ENOENT).`),
    );
    await writeFile(file, "{}}");
    expect(() => open({ file: true })).toThrow(StartupError);
  });

  test("the example of the documentation is good", async () => {
    const { readFile } = await import("node:fs/promises");
    const page = await readFile(new URL("../../../docs/operations/content-policy.md", import.meta.url), "utf8");
    const example = /```json\n(\{\s*"rules"[\s\S]*?)```/.exec(page)?.[1] ?? "";
    expect(parsePolicy(example).rules.length).toBeGreaterThan(1);
  });
});

describe("the moderation service", () => {
  async function serve(answer: (request: IncomingMessage, response: ServerResponse, body: string) => void) {
    const asked: { body: unknown; authorization: string | undefined; path: string | undefined }[] = [];
    const server: Server = createServer((request, response) => {
      const pieces: Buffer[] = [];
      request.on("data", (piece: Buffer) => pieces.push(piece));
      request.on("end", () => {
        const body = Buffer.concat(pieces).toString();
        asked.push({ body: JSON.parse(body), authorization: request.headers.authorization, path: request.url });
        answer(request, response, body);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closers.push(() => new Promise((resolve) => server.close(resolve)));
    closers.push(() => server.closeAllConnections());
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/judge?strict=1`, asked };
  }

  test("is asked what the rules let through, with its secret, and its word counts", async () => {
    const { url, asked } = await serve((_request, response, body) => {
      const allowed = !body.includes("volcano");
      response.end(JSON.stringify(allowed ? { allowed } : { allowed, rule: "no-volcanoes", detail: "ignored" }));
    });
    const policy = open({ url, secret: "whisper-it" });
    expect(await ruleOf(policy, "a quiet lake", "blur")).toBeNull();
    expect(await policy.judge(question("a volcano"))).toEqual({
      rule: "moderation:no-volcanoes",
      field: "prompt",
      message: null,
      unjudged: false,
    });
    expect(await ruleOf(policy, "naked kids")).toBe("sexual-minors");
    expect(asked).toEqual(
      [question("a quiet lake", "blur"), question("a volcano")].map((body) => ({
        body,
        authorization: "Bearer whisper-it",
        path: "/v1/judge?strict=1",
      })),
    );
  });

  const ways: [string, (response: ServerResponse) => void][] = [
    ["answers no JSON", (response) => response.end("<p>fine</p>")],
    ["answers another shape", (response) => response.end('{"allowed": "true"}')],
    ["answers nothing", (response) => response.end()],
    ["fails", (response) => response.writeHead(500).end('{"allowed": true}')],
    ["sends elsewhere", (response) => response.writeHead(307, { location: "http://127.0.0.1:9/" }).end()],
    ["answers too much", (response) => response.end(`{"allowed": true, "pad": "${"x".repeat(70_000)}"}`)],
    ["hangs up", (response) => response.destroy()],
    ["breaks off", (response) => response.writeHead(200, { "content-length": "20" }).write('{"allowed"')],
    ["never answers", () => undefined],
    ["trickles", (response) => void response.writeHead(200).write('{"allowed": t')],
  ];
  test.each(ways)("that %s has judged nothing: the operator chose what then", async (_what, answer) => {
    const { url } = await serve((_request, response) => answer(response));
    const careful = open({ url, timeoutMs: 150 });
    expect(await careful.judge(question("a lake"))).toEqual({
      rule: "moderation:unavailable",
      field: "prompt",
      message: null,
      unjudged: true,
    });
    expect(careful.state.moderation).toBe("failing");
    expect(await ruleOf(open({ url, timeoutMs: 150, onFailure: "accept" }), "a lake")).toBeNull();
    expect(await ruleOf(open({ url, timeoutMs: 150, onFailure: "accept" }), "naked kids")).toBe("sexual-minors");
  });

  test("that is not there is no verdict, and is asked again with the next prompt", async () => {
    let broken = true;
    const { url } = await serve((_request, response) => {
      if (broken) response.destroy();
      else response.end('{"allowed": true}');
    });
    const policy = open({ url });
    expect(await ruleOf(policy, "a lake")).toBe("moderation:unavailable");
    broken = false;
    expect(await ruleOf(policy, "a lake")).toBeNull();
    expect(policy.state.moderation).toBe("ok");
  });

  test("has an address like a worker's: none of the inside, none in plain beyond this machine", () => {
    expect(() => open({ url: "https://169.254.169.254/latest" })).toThrow(/^MODERATION_URL: /);
    expect(() => open({ url: "https://10.1.2.3/judge" })).toThrow(/WORKER_NETWORKS/);
    expect(() => open({ url: "http://moderation.example/judge" })).toThrow(/^MODERATION_URL: /);
  });

  test("is given up when the caller leaves", async () => {
    const { url } = await serve(() => undefined);
    const leaving = new AbortController();
    const judged = open({ url, timeoutMs: 20_000 }).judge(question("a lake"), leaving.signal);
    leaving.abort(new Error("left"));
    await expect(judged).rejects.toThrow("left");
  });
});
