/** The command as a child process: what it is given, how it is ended, and what is said where it cannot run. */
import { readFileSync } from "node:fs";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Edge, openEdge } from "../testing/edge.ts";
import { pythonOfTests } from "../testing/modal-server.ts";
import { writeSource } from "../testing/worker-source.ts";
import { openCredential } from "../worker-accounts/account-credentials.ts";
import { readAccount } from "../worker-accounts/account-record.ts";
import { addAccount } from "../worker-accounts/add-account.ts";
import { Deployer } from "./deployer.ts";
import { describeWithLog, requireDeployment } from "./deployment-record.ts";
import { appFile } from "./modal-command.ts";
import { deployAccount } from "./queue-deployment.ts";

/** How long a busy machine may take. */
const patient = { timeout: 40_000 };

let edge: Edge;
let deployer: Deployer;
let sourceFolder: string;

beforeEach(async () => {
  sourceFolder = await mkdtemp(join(tmpdir(), "safelight-source-"));
  await writeSource(sourceFolder, 'import modal\n\napp = modal.App("sample")\n');
});
afterEach(async () => {
  await deployer.stop();
  await edge.close();
  await rm(sourceFolder, { recursive: true, force: true });
});

/** A fresh installation; its deployer takes the source of this test. */
async function open(environment: Record<string, string>): Promise<void> {
  edge = await openEdge({ environment });
  deployer = await Deployer.open(edge.context, edge.installation.accounts, sourceFolder);
}

async function add(): Promise<{ tokenId: string; tokenSecret: string }> {
  const token = { tokenId: "ak-0123456789abcdef", tokenSecret: "as-0123456789abcdef" };
  await addAccount(edge.context, edge.installation.accounts, {
    label: "Cloud",
    workspace: "cloud-gpu",
    kind: "modal",
    token_id: token.tokenId,
    token_secret: token.tokenSecret,
  });
  return token;
}

const deploy = () => deployAccount(edge.context, deployer, "cloud-gpu");
const account = () => readAccount(edge.context.database.prepareRead, "cloud-gpu");

async function ended({ id }: { id: string }) {
  const { prepareRead } = edge.context.database;
  const read = async () => describeWithLog(prepareRead, await requireDeployment(prepareRead, id));
  await expect.poll(async () => (await read()).finished_at, patient).not.toBeNull();
  return read();
}

describe("without a server to deploy to", () => {
  test("nobody answers: the real command tries for a minute; the time limit ends it", async () => {
    await open({ MODAL_SERVER_URL: "http://127.0.0.1:9" });
    await deployer.stop();
    const limits = { total: 1500, ask: 100, grace: 3000, retry: 50 };
    deployer = await Deployer.open(edge.context, edge.installation.accounts, sourceFolder, limits);
    await add();
    expect((await ended(await deploy())).error).toMatchObject({ code: "timed_out" });
  });

  test.each([
    ["no such command", "/nowhere/python"],
    ["a Python without the modal package", "bare-python"],
  ])("%s: failed, and the error says what to install", async (_what, command) => {
    const bare = join(sourceFolder, "bare-python");
    // -S leaves out the packages of the environment.
    await writeFile(bare, `#!/bin/sh\nexec "${pythonOfTests()}" -S "$@"\n`);
    await chmod(bare, 0o755);
    await open({ MODAL_PYTHON: command === "bare-python" ? bare : command });
    await add();
    const failed = await ended(await deploy());
    expect(failed).toMatchObject({ status: "failed", error: { code: "modal_missing" } });
    expect(failed.error?.detail).toMatch(/MODAL_PYTHON/);
  });
});

describe("the child process", () => {
  /** Stands in for Python: writes down how it was called, starts a child of its own and goes on until it is ended. */
  async function scripted(body: string): Promise<string> {
    const folder = join(sourceFolder, ".scripted");
    await mkdir(folder, { recursive: true });
    const script = join(folder, "python");
    await writeFile(script, `#!/bin/sh\nenv -0 > ${folder}/env\nprintf '%s\\0' "$@" > ${folder}/arguments\n${body}\n`);
    await chmod(script, 0o755);
    await open({ MODAL_SERVER_URL: "http://127.0.0.1:9", MODAL_PYTHON: script, PATH: process.env["PATH"] ?? "" });
    return folder;
  }
  const listIn = (file: string) => readFileSync(file, "utf8").split("\0").slice(0, -1);

  test("gets exactly this environment, a private home, and no secret among its arguments", async () => {
    const folder = await scripted('ls -ld "$HOME" > "$0.home"; exit 3');
    const token = await add();
    const failed = await ended(await deploy());
    expect(failed.error).toMatchObject({ code: "deploy_failed", detail: "The modal command ended with code 3." });
    const environment = Object.fromEntries(listIn(join(folder, "env")).map((line) => line.split(/=(.*)/s).slice(0, 2)));
    const home = join(edge.folder, "deployments", "runs", failed.id, "home");
    const record = await account();
    // The shell of the stand-in adds two of its own.
    const { PWD: _pwd, _: _underscore, SHLVL: _level, OLDPWD: _old, ...given } = environment as Record<string, string>;
    expect(given).toEqual({
      PATH: process.env["PATH"],
      HOME: home,
      TMPDIR: home,
      LANG: "C.UTF-8",
      COLUMNS: "1000",
      NO_COLOR: "1",
      GIT_CEILING_DIRECTORIES: join(home, ".."),
      MODAL_CONFIG_PATH: join(home, "no-modal.toml"),
      MODAL_SERVER_URL: "http://127.0.0.1:9",
      MODAL_TOKEN_ID: token.tokenId,
      MODAL_TOKEN_SECRET: token.tokenSecret,
      SAFELIGHT_APP: "safelight-cloud-gpu",
      SAFELIGHT_ENDPOINT: "web",
      SAFELIGHT_MIN_CONTAINERS: "0",
      SAFELIGHT_MAX_CONTAINERS: "1",
      SAFELIGHT_SLOTS_IMAGE: "1",
      SAFELIGHT_SLOTS_VIDEO: "1",
      SAFELIGHT_WORKER_KEY:
        record === undefined ? "" : openCredential(edge.installation.accounts.keyring, record, "workerKey"),
    });
    expect(readFileSync(join(folder, "python.home"), "utf8")).toMatch(/^drwx------/);
    expect(listIn(join(folder, "arguments")).slice(-5)).toEqual([
      "modal",
      "deploy",
      appFile,
      "--name",
      "safelight-cloud-gpu",
    ]);
    expect(listIn(join(folder, "arguments")).join(" ")).not.toMatch(/ak-|as-/);
  });

  test("past its time it is ended with all that it has started, however deaf it is", async () => {
    const folder = await scripted(
      'trap "" TERM; sleep 3600 & echo $! > "$0.child"; echo begun; while :; do sleep 1; done',
    );
    await deployer.stop();
    const limits = { total: 500, ask: 100, grace: 300, retry: 50 };
    deployer = await Deployer.open(edge.context, edge.installation.accounts, sourceFolder, limits);
    await add();
    const failed = await ended(await deploy());
    expect(failed.error).toMatchObject({ code: "timed_out" });
    expect(failed.log.slice(1)).toEqual(["begun"]);
    const child = Number(readFileSync(join(folder, "python.child"), "utf8"));
    await expect.poll(() => isAlive(child), patient).toBe(false);
  });

  test("a flood of output is cut, and the end is found all the same", async () => {
    await scripted(
      "i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done; head -c 300000 /dev/zero | tr '\\0' x; echo; echo last words; exit 1",
    );
    await add();
    const failed = await ended(await deploy());
    expect(failed.log).toHaveLength(2000);
    expect(failed.log.at(-1)).toBe("… The log is full; what follows is not kept.");
    expect(failed.error?.detail).toBe("The modal command ended with code 1: last words");
  });
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0) && !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
