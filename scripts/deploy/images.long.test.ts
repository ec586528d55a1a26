// The container images, as far as they can be shown without a container engine: built step by step from the container files themselves, and run
// under a root folder that cannot be written, as the user and with the environment that they name. Needs root, as the mounts do.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { request } from "node:https";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { workerHeaders, workerProtocol } from "@safelight/contract/worker";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { startInside } from "./closed-root.ts";
import { readContainerfile, type Stage } from "./containerfile.ts";
import { simulateBuild } from "./simulated-build.ts";

const root = join(import.meta.dirname, "../..");
const user = 10001;
const mayMount = process.getuid?.() === 0;
let folder: string;
const running = new Set<ChildProcess>();

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "safelight-images-"));
  // Others have to get through to what they may read below it.
  chmodSync(folder, 0o755);
});
afterAll(async () => {
  await Promise.all([...running].map((child) => stop(child, "SIGKILL")));
  await rm(folder, { recursive: true, force: true, maxRetries: 5 });
}, 10 * 60_000);

const stagesOf = (name: string): readonly Stage[] =>
  readContainerfile(readFileSync(join(root, `deploy/images/${name}.Containerfile`), "utf8"));

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  running.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  const ended = once(child, "exit");
  child.kill(signal);
  await ended;
  return child.exitCode;
}

/** What a child has printed, growing; `until` waits for a text in it, and fails when the child ends without it. */
function listenTo(child: ChildProcess): { text(): string; until(pattern: RegExp): Promise<string> } {
  let said = "";
  let hasEnded = false;
  const waiting = new Set<() => void>();
  const lookAgain = () => {
    for (const look of waiting) look();
  };
  running.add(child);
  for (const stream of [child.stdout, child.stderr])
    stream?.on("data", (piece: Buffer) => {
      said += piece.toString();
      lookAgain();
    });
  child.on("close", () => {
    hasEnded = true;
    lookAgain();
  });
  const until = (pattern: RegExp) =>
    new Promise<string>((found, failed) => {
      const look = () => {
        const match = pattern.exec(said);
        if (match === null && !hasEnded) return;
        waiting.delete(look);
        if (match === null) failed(new Error(`ended without saying ${String(pattern)}:\n${said}`));
        else found(match[1] ?? match[0]);
      };
      waiting.add(look);
      look();
    });
  return { text: () => said, until };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

const userOf = ({ pid }: ChildProcess) => /^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1];

describe.skipIf(!mayMount)("the image of the gateway", () => {
  const stages = stagesOf("gateway");
  const last = stages.at(-1) as Stage;
  let image: string;
  let secrets: string;
  let given: Record<string, string>;

  beforeAll(async () => {
    image = (await simulateBuild(stages, { context: root, target: join(folder, "gateway") })).at(-1) ?? "";
    secrets = join(folder, "secrets");
    const made = spawnSync("sh", [join(root, "deploy/compose-secrets.sh"), secrets], { encoding: "utf8" });
    expect([made.status, made.stderr]).toEqual([0, ""]);
    const compose = parse(readFileSync(join(root, "deploy/compose.yaml"), "utf8"), { merge: true }) as {
      services: Record<string, { environment: Record<string, string> }>;
    };
    // As compose gives it, but for the database and the media, which have tests of their own.
    const environment = compose.services["gateway-1"]?.environment ?? {};
    const elsewhere = /^(?:DATABASE_|MEDIA_|AWS_)/;
    given = {
      ...last.environment,
      ...Object.fromEntries(Object.entries(environment).filter(([name]) => !elsewhere.test(name))),
      ALLOWED_HOSTS: "localhost",
      PUBLIC_BASE_URL: "https://localhost",
      TRUSTED_PROXIES: "127.0.0.1",
      WORKER_NETWORKS: "127.0.0.0/8",
      EMBEDDED_ENGINE: "auto",
      HOME: "/",
      PORT: "0",
    };
  }, 10 * 60_000);

  let serial = 0;
  const places = (data: string) => ({
    "/opt/safelight": { from: join(image, "opt/safelight") },
    "/var/lib/safelight": { from: data, write: true },
    "/run/secrets": { from: secrets },
    [dirname(process.execPath)]: { from: dirname(process.execPath) },
  });
  function begin(data: string, command: readonly string[], extra: Record<string, string> = {}): ChildProcess {
    serial += 1;
    const empty = join(folder, `root-${serial}`);
    mkdirSync(empty);
    const environment = { ...given, PATH: `${dirname(process.execPath)}:/usr/bin:/bin`, ...extra };
    return startInside({ root: empty, folders: places(data), folder: last.folder, user, environment }, command);
  }
  /** The folder that the image itself has, with the owner that it gave it. */
  function newData(): string {
    const made = join(image, "var/lib/safelight");
    const { uid, mode } = statSync(made);
    const data = join(folder, `data-${serial}`);
    mkdirSync(data, { mode: mode & 0o777 });
    chownSync(data, uid, uid);
    return data;
  }
  const start = [...last.entrypoint, ...last.command];

  test("has what runs and nothing else: no tests, no tools, nothing of whoever built it", () => {
    const inImage = (path: string) => existsSync(join(image, "opt/safelight", path));
    for (const path of ["web/dist/index.html", "cli/src/main.ts", "worker/safelight_worker/cli.py", "LICENSE"])
      expect([path, inImage(path)]).toEqual([path, true]);
    for (const path of [
      "data",
      ".git",
      ".env",
      "web/src",
      "server/src/app.test.ts",
      "server/src/testing",
      "node_modules/vite",
      "node_modules/vitest",
      "node_modules/typescript",
    ])
      expect([path, inImage(path)]).toEqual([path, false]);
    const open = spawnSync("find", [join(image, "opt"), "-perm", "/022", "!", "-type", "l"], { encoding: "utf8" });
    expect(open.stdout).toBe("");
  });

  test("runs as nobody else, writes to its data alone, passes the smoke test, and stops in the time that compose gives", async () => {
    const data = newData();
    const child = begin(data, start);
    const port = new URL(await listenTo(child).until(/ready: (\S+)/)).port;
    expect(userOf(child)).toBe(String(user));
    const [check = "", ...words] = last.healthcheck ?? [];
    const health = begin(data, [check, ...words], { PORT: port });
    expect((await once(health, "exit"))[0]).toBe(0);
    const smoke = spawn(process.execPath, ["cli/src/main.ts", "smoke", "--url", `http://127.0.0.1:${port}`], {
      cwd: root,
      env: {
        PATH: process.env["PATH"],
        API_KEY_FILE: join(secrets, "api-key"),
        ADMIN_KEY_FILE: join(secrets, "admin-key"),
        ACCESS_PASSWORD_FILE: join(secrets, "access-password"),
        DATA_DIR: join(folder, "nowhere"),
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const smoked = listenTo(smoke);
    await once(smoke, "close");
    expect([smoke.exitCode, smoked.text()]).toEqual([0, expect.stringContaining("ok")]);
    expect(readdirSync(data)).toEqual(expect.arrayContaining(["media", "safelight.sqlite"]));
    const began = performance.now();
    expect(await stop(child, last.stopSignal as NodeJS.Signals)).toBe(0);
    expect(performance.now() - began).toBeLessThan(30_000);
    const after = begin(data, [check, ...words], { PORT: port });
    expect((await once(after, "exit"))[0], "what is stopped is not healthy").toBe(1);
  }, 300_000);

  test("refuses to start without its secrets, and says which", async () => {
    const child = begin(newData(), start, { API_KEY_FILE: "", ENCRYPTION_KEY_FILE: "/run/secrets/nowhere" });
    const said = listenTo(child);
    await once(child, "close");
    running.delete(child);
    expect([child.exitCode, said.text()]).toEqual([
      3,
      expect.stringMatching(/ENCRYPTION_KEY_FILE: cannot be read[\s\S]*API_KEY: must be set/),
    ]);
  });

  test("Caddy passes over the gateway that is killed, and takes it again", async () => {
    const site = await startCaddy(await Promise.all([0, 1].map(freePort)));
    const gateways: ChildProcess[] = [];
    const place = [newData(), ""];
    serial += 1;
    place[1] = newData();
    const open = async (index: number) => {
      const child = begin(place[index] ?? "", start, { PORT: String(site.upstreams[index]) });
      await listenTo(child).until(/ready: (\S+)/);
      gateways[index] = child;
    };
    await Promise.all([open(0), open(1)]);
    const answers = async (times: number) => Promise.all(Array.from({ length: times }, () => site.status("/health")));
    await expect.poll(() => site.status("/health")).toBe(200);
    await stop(gateways[0] as ChildProcess, "SIGKILL");
    expect(new Set(await answers(40))).toEqual(new Set([200]));
    await open(0);
    await stop(gateways[1] as ChildProcess, "SIGKILL");
    // The one that came back carries all of it.
    expect(new Set(await answers(40))).toEqual(new Set([200]));
    await stop(gateways[0] as ChildProcess, "SIGTERM");
    await stop(site.child, "SIGTERM");
  }, 120_000);

  /** The very file that operators take, with other ports and a certificate of its own making. */
  async function startCaddy(upstreams: readonly number[]) {
    const [port, plain] = [await freePort(), await freePort()];
    const changes: [string, string][] = [
      ["gateway-1:8600 gateway-2:8600", upstreams.map((upstream) => `127.0.0.1:${upstream}`).join(" ")],
      ["http_port 8080", `http_port ${plain}`],
      ["https_port 8443", `https_port ${port}\n\tskip_install_trust\n\tdefault_bind 127.0.0.1`],
    ];
    let text = readFileSync(join(root, "deploy/caddy/gateways.Caddyfile"), "utf8");
    for (const [from, to] of changes) {
      if (!text.includes(from)) throw new Error(`the file does not say "${from}" any more`);
      text = text.replace(from, to);
    }
    writeFileSync(join(folder, "Caddyfile"), text);
    const child = spawn("caddy", ["run", "--config", join(folder, "Caddyfile"), "--adapter", "caddyfile"], {
      env: {
        ...process.env,
        SAFELIGHT_HOST: "localhost",
        HOME: folder,
        XDG_DATA_HOME: folder,
        XDG_CONFIG_HOME: folder,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    await listenTo(child).until(/serving initial configuration/);
    const status = (path: string) =>
      new Promise<number>((answered) => {
        const asked = request(
          {
            host: "127.0.0.1",
            port,
            path,
            servername: "localhost",
            headers: { host: "localhost" },
            rejectUnauthorized: false,
          },
          (answer) => {
            answer.resume();
            answered(answer.statusCode ?? 0);
          },
        );
        asked.on("error", () => answered(0)).end();
      });
    return { child, upstreams, status };
  }
});

describe.skipIf(!mayMount)("the image of the worker", () => {
  test("runs as nobody else, writes to its data and /tmp alone, answers for its key, and stops", async () => {
    const stages = stagesOf("worker");
    const last = stages.at(-1) as Stage;
    const library = join(root, ".venv-worker");
    const site = spawnSync(
      join(library, "bin/python"),
      ["-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
      { encoding: "utf8" },
    ).stdout.trim();
    const home = /^home = (.+)$/m.exec(readFileSync(join(library, "pyvenv.cfg"), "utf8"))?.[1] ?? "";
    // What the lists name lies here already, from the same lists; it is lent to the image and not installed again.
    const lent = (command: string): string | undefined => {
      if (command.startsWith("python -m venv"))
        return `${library}/bin/python -m venv --without-pip /opt/worker && cd /opt/worker/lib/python3*/site-packages && echo ${site} > lent.pth`;
      return /torch==|requirements/.test(command) ? "true" : undefined;
    };
    const target = join(folder, "worker");
    const image = (await simulateBuild(stages, { context: root, target, replace: lent })).at(-1) ?? "";
    const data = join(image, "var/lib/worker");
    expect([statSync(data).uid, statSync(data).mode & 0o777]).toEqual([user, 0o700]);
    const secrets = join(folder, "worker-secrets");
    mkdirSync(secrets);
    const key = "a-worker-key-of-32-signs-in-all.";
    writeFileSync(join(secrets, "worker-key"), key, { mode: 0o400 });
    chownSync(join(secrets, "worker-key"), user, user);
    const empty = join(folder, "worker-root");
    mkdirSync(empty);
    const child = startInside(
      {
        root: empty,
        folders: {
          "/opt/worker": { from: join(image, "opt/worker") },
          "/weights": { from: join(image, "weights") },
          "/var/lib/worker": { from: data, write: true },
          "/run/secrets": { from: secrets },
          // Programs of an environment know where it was made; what is lent lies where it lies.
          [join(target, "packages/opt/worker")]: { from: join(target, "packages/opt/worker") },
          [library]: { from: library },
          [dirname(home)]: { from: dirname(home) },
        },
        folder: last.folder,
        user,
        environment: last.environment,
      },
      [...last.entrypoint, ...last.command, "--tiny", "--port", "0"],
    );
    const said = listenTo(child);
    const url = (await said.until(/listens on (\S+)/)).replace("0.0.0.0", "127.0.0.1");
    expect(userOf(child)).toBe(String(user));
    expect((await fetch(`${url}/health`)).status).toBe(401);
    const asGateway = { authorization: `Bearer ${key}`, [workerHeaders.protocol]: String(workerProtocol) };
    const ready = async () => {
      const answer = await fetch(`${url}/health`, { headers: asGateway });
      return [answer.status, ((await answer.json()) as { ready?: boolean }).ready];
    };
    for (const end = Date.now() + 240_000; Date.now() < end && (await ready())[1] !== true; ) await sleep(250);
    expect(await ready()).toEqual([200, true]);
    await stop(child, last.stopSignal as NodeJS.Signals);
    // Its HTTP server ends by the very signal, once everything else has ended.
    expect([child.signalCode, said.text()]).toEqual(["SIGTERM", expect.stringContaining("shutdown complete")]);
  }, 400_000);
});
