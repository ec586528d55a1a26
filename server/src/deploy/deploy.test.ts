/** The real modal command, against a stand-in for Modal's server on loopback. */
import { execFileSync } from "node:child_process";
import { hash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { repositoryRoot } from "../config.ts";
import { createKeyring } from "../keys/keyring.ts";
import { type Edge, openEdge } from "../testing/edge.ts";
import { type HealthWorker, startHealthWorker } from "../testing/health-worker.ts";
import { type ModalServer, startModalServer } from "../testing/modal-server.ts";
import { copySource } from "../testing/worker-source.ts";
import { openCredential } from "../worker-accounts/account-credentials.ts";
import { readAccount } from "../worker-accounts/account-record.ts";
import { addAccount } from "../worker-accounts/add-account.ts";
import { disableAccount, rotateCredentials, updateAccount } from "../worker-accounts/change-account.ts";
import { checkAccount } from "../worker-accounts/check-account.ts";
import { deleteAccount } from "../worker-accounts/delete-account.ts";
import { rotateWorkerKey } from "../worker-accounts/worker-key.ts";
import { cancelDeployment } from "./cancel-deployment.ts";
import { Deployer } from "./deployer.ts";
import { type DeploymentRecord, describeWithLog, requireDeployment } from "./deployment-record.ts";
import { appFile } from "./modal-command.ts";
import { deployAccount, deployAll, rollbackAccount } from "./queue-deployment.ts";

/** How long a busy machine may take. */
const patient = { timeout: 40_000 };

let modal: ModalServer;
let worker: HealthWorker;
let edge: Edge;
let deployer: Deployer;
let sourceFolder: string;

beforeAll(async () => {
  worker = await startHealthWorker();
  modal = await startModalServer(worker.url);
});
afterAll(async () => {
  await modal.close();
  await worker.close();
});
beforeEach(async () => {
  sourceFolder = await mkdtemp(join(tmpdir(), "safelight-source-"));
  await copySource(sourceFolder);
  edge = await openEdge({ environment: { MODAL_SERVER_URL: modal.url } });
  deployer = await Deployer.open(edge.context, edge.installation.accounts, sourceFolder);
});
afterEach(async () => {
  await deployer.stop();
  await edge.close();
  await rm(sourceFolder, { recursive: true, force: true });
});

const workerApp = readFileSync(join(repositoryRoot, appFile), "utf8");

let nth = 0;
/** An account whose token id begins with the given text: the stand-in goes by it. */
async function add(workspace = "cloud-gpu", tokenId = "ak-known"): Promise<{ tokenId: string; tokenSecret: string }> {
  nth += 1;
  const token = { tokenId: `${tokenId}${nth}abcdefgh`, tokenSecret: `as-${nth}abcdefghijklmnop` };
  await addAccount(edge.context, edge.installation.accounts, {
    label: "Cloud",
    workspace,
    kind: "modal",
    token_id: token.tokenId,
    token_secret: token.tokenSecret,
  });
  return token;
}

const deploy = (workspace = "cloud-gpu") => deployAccount(edge.context, deployer, workspace);
const rollback = (workspace = "cloud-gpu") => rollbackAccount(edge.context, deployer, workspace);
const read = async (id: string) =>
  describeWithLog(edge.context.database.prepareRead, await requireDeployment(edge.context.database.prepareRead, id));
const account = (workspace = "cloud-gpu") => readAccount(edge.context.database.prepareRead, workspace);
const callsOf = ({ tokenId }: { tokenId: string }) => modal.calls.filter(({ token }) => token === tokenId);
const functionsOf = (token: { tokenId: string }, name: string) =>
  callsOf(token).filter((call) => call.function === name);
const audit = async () =>
  (await edge.context.database.prepareRead("SELECT * FROM audit_events ORDER BY id").all()).map((row) =>
    [row.actor_type, row.action, row.target, row.outcome].join(" "),
  );

async function ended({ id }: Pick<DeploymentRecord, "id">) {
  await expect.poll(async () => (await read(id)).finished_at, patient).not.toBeNull();
  return read(id);
}

describe("a deploy with the real command, against a stand-in for Modal's server", () => {
  test("FR-008: deploys the source, learns the address by asking, and has the account checked", async () => {
    const token = await add();
    const queued = await deploy();
    expect(queued).toMatchObject({ version: 1, kind: "deploy", status: "queued" });
    const done = await ended(queued);
    expect(done).toMatchObject({ status: "done", error: null, base_url: worker.url });
    expect(done.log.join("\n")).toMatch(/App deployed in/);
    expect(done.log_lines).toBe(done.log.length);

    const { keyring } = edge.installation.accounts;
    const before = await account();
    if (before === undefined) throw new Error("no account");
    expect(before).toMatchObject({ baseUrl: worker.url, status: "pending" });
    const workerKey = openCredential(keyring, before, "workerKey");
    const calls = callsOf(token);
    expect(calls.find(({ secret }) => secret !== undefined)?.secret).toEqual({ SAFELIGHT_WORKER_KEY: workerKey });
    expect(calls.find(({ call }) => call === "AppPublish")?.app).toBe("safelight-cloud-gpu");
    expect(calls.at(-1)?.call).toBe("FunctionGet");

    worker.accepts = workerKey ?? "";
    await checkAccount(edge.context, edge.installation.accounts, "cloud-gpu", "planned");
    expect(await account()).toMatchObject({ status: "ready", lastHealthStatus: "ok" });
    expect(await audit()).toEqual([
      "system add_account cloud-gpu success",
      "system deploy_account cloud-gpu success",
      "system deploy_account cloud-gpu success",
      "system check_account cloud-gpu success",
    ]);
  });

  test("ships the worker whole and nothing beside it; its key is with the serving container alone", async () => {
    await writeFile(join(sourceFolder, "worker", "safelight_worker", "worker-key"), "slworker_left_here_by_hand");
    await writeFile(join(sourceFolder, "worker", "notes.txt"), "not a part of it");
    await edge.close();
    edge = await openEdge({ environment: { MODAL_SERVER_URL: modal.url, MODAL_GPU: "L40S, A100-80GB" } });
    deployer = await Deployer.open(edge.context, edge.installation.accounts, sourceFolder);
    const token = await add();
    const queued = await deploy();
    expect(await ended(queued)).toMatchObject({ status: "done" });
    expect(queued.settings).toMatchObject({ gpu: "L40S,A100-80GB", file: "deploy/modal/worker_app.py" });
    const uploaded = callsOf(token).flatMap(({ files = [] }) => files);
    const worker = join(repositoryRoot, "worker", "safelight_worker");
    const expected = readdirSync(worker, { recursive: true, encoding: "utf8" })
      .filter((path) => /\.(py|toml|json|typed)$/.test(path))
      .map((path) => [`/app/safelight_worker/${path}`, hash("sha256", readFileSync(join(worker, path)))] as const);
    // Modal puts the file that it is given into the home of its containers.
    const app = [["", "root", "worker_app.py"].join("/"), hash("sha256", workerApp)] as const;
    expect(new Map(uploaded)).toEqual(new Map([...expected, app]));
    expect(functionsOf(token, "Model.*")).toMatchObject([{ cards: ["L40S", "A100-80GB"], secrets: 0 }]);
    expect(functionsOf(token, "web")).toMatchObject([{ cards: [""], secrets: 1, max_containers: 1 }]);
    expect(callsOf(token).flatMap(({ named = [] }) => named)).toEqual([
      "safelight-weights",
      "safelight-cloud-gpu-data",
    ]);
    const image = callsOf(token).flatMap(({ image: commands = [] }) => commands);
    expect(image.filter((command) => command.endsWith(" --no-deps --require-hashes"))).toHaveLength(2);
  });

  test("FR-016: a new worker key counts once a deploy has set it, and not before", async () => {
    const token = await add();
    const { accounts } = edge.installation;
    const open = async (name: "workerKey" | "nextWorkerKey") => {
      const found = await account();
      return found === undefined ? null : openCredential(accounts.keyring, found, name);
    };
    const old = await open("workerKey");
    await rotateWorkerKey(edge.context, accounts, "cloud-gpu");
    const next = await open("nextWorkerKey");
    expect([await open("workerKey"), next === old]).toEqual([old, false]);
    expect(await ended(await deploy())).toMatchObject({ status: "done" });
    const secret = callsOf(token).find(({ secret: one }) => one !== undefined)?.secret;
    expect(secret).toEqual({ SAFELIGHT_WORKER_KEY: next });
    expect([await open("workerKey"), await open("nextWorkerKey")]).toEqual([next, null]);
  });

  test("a disabled account can be deployed to, and stays disabled and unchecked", async () => {
    await add();
    await disableAccount(edge.context, edge.installation.accounts, "cloud-gpu", false);
    expect(await ended(await deploy())).toMatchObject({ status: "done" });
    expect(await account()).toMatchObject({ status: "disabled", baseUrl: worker.url, nextCheckAt: null });
  });

  test("does not tell Modal in which repository the data directory lies", async () => {
    const git = (...args: string[]) => execFileSync("git", ["-C", edge.folder, ...args], { stdio: "ignore" });
    git("init");
    git("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "commit", "--allow-empty", "-m", "first");
    const token = await add();
    await ended(await deploy());
    expect(callsOf(token).find(({ call }) => call === "AppPublish")?.commit).toBe("");
  });

  test("a rollback redeploys exactly the bytes and settings before; a second one goes no further than the first", async () => {
    const token = await add();
    await ended(await deploy());
    await writeFile(join(sourceFolder, appFile), `${workerApp}\n# the next version\n`);
    await updateAccount(edge.context, edge.installation.accounts, "cloud-gpu", { max_containers: 7 });
    await ended(await deploy());
    await writeFile(join(sourceFolder, appFile), "a third one, never deployed");
    const back = await ended(await rollback());
    expect(back).toMatchObject({ status: "done", kind: "rollback", version: 3 });
    const uploaded = callsOf(token).flatMap(({ files = [] }) =>
      files.filter(([name]) => name.endsWith("worker_app.py")),
    );
    const [first, second, third] = uploaded.map(([, sha256]) => sha256);
    expect(uploaded).toHaveLength(3);
    expect(first).not.toBe(second);
    expect(third).toBe(first);
    const containers = functionsOf(token, "Model.*").map(({ max_containers: most }) => most);
    expect(containers).toEqual([1, 7, 1]);
    await expect(rollback()).rejects.toMatchObject({
      code: "validation_failed",
      fields: [{ field: "workspace", code: "no_earlier_deployment" }],
    });
  });

  test("a token that Modal does not know: failed, with a clear error and no token in the log", async () => {
    const token = await add("cloud-gpu", "ak-unknown");
    const failed = await ended(await deploy());
    expect(failed).toMatchObject({ status: "failed", base_url: null, error: { code: "token_refused" } });
    expect(failed.error?.detail).toMatch(/^Modal does not take the token of this account\./);
    expect(JSON.stringify(failed)).not.toContain(token.tokenId);
    expect(failed.log.join("\n")).toContain("[redacted]");
    expect(await account()).toMatchObject({ baseUrl: null, status: "pending" });
    expect((await audit()).at(-1)).toBe("system deploy_account cloud-gpu failure");
  });

  test("an app without an address: failed, and the error says that it is deployed all the same", async () => {
    await add("cloud-gpu", "ak-nowhere");
    const failed = await ended(await deploy());
    expect(failed).toMatchObject({ status: "failed", error: { code: "address_unknown" } });
    expect(failed.error?.detail).toMatch(/^Modal has taken the app all the same\./);
  });

  test("source that does not load: failed, with the reason and without our paths", async () => {
    await add();
    await writeFile(join(sourceFolder, appFile), "import modal\nraise RuntimeError('no such weights')\n");
    const failed = await ended(await deploy());
    expect(failed).toMatchObject({ status: "failed", error: { code: "source_broken" } });
    expect(failed.error?.detail).toMatch(/no such weights/);
    expect(JSON.stringify(failed)).not.toContain(edge.folder);
  });

  test("cancel ends the command and everything it has started; nothing of its folder stays", async () => {
    const token = await add("cloud-gpu", "ak-slow");
    const { id } = await deploy();
    await expect.poll(() => callsOf(token).map(({ call }) => call), patient).toContain("FunctionCreate");
    const processes = processesWith(id);
    expect(processes.length).toBeGreaterThan(0);
    expect(await cancelDeployment(edge.context, deployer, id)).toMatchObject({ status: "running" });
    const failed = await ended({ id });
    expect(failed).toMatchObject({ status: "failed", error: { code: "cancelled", detail: "It was cancelled." } });
    expect(processesWith(id)).toEqual([]);
    expect(readdirSync(join(edge.folder, "deployments", "runs"))).toEqual([]);
    const rows = (await audit()).length;
    expect(await cancelDeployment(edge.context, deployer, id)).toMatchObject({
      status: "failed",
      errorCode: "cancelled",
    });
    expect(await audit()).toHaveLength(rows);
  });

  test("two run at a time, one of each account; the rest waits, and a waiting one can be cancelled or asked for again", async () => {
    for (const workspace of ["gpu-one", "gpu-two", "gpu-three"]) await add(workspace, "ak-slow");
    const [one, two, three] = [await deploy("gpu-one"), await deploy("gpu-two"), await deploy("gpu-three")];
    const states = () => Promise.all([one, two, three].map(async ({ id }) => (await read(id)).status));
    await expect.poll(states, patient).toEqual(["running", "running", "queued"]);
    const again = await deploy("gpu-one");
    expect(again).toMatchObject({ status: "queued", version: 2 });
    expect((await deploy("gpu-one")).id).toBe(again.id);
    await expect(rollback("gpu-three")).rejects.toMatchObject({ fields: [{ code: "deployment_unfinished" }] });
    expect(await cancelDeployment(edge.context, deployer, three.id)).toMatchObject({ status: "failed" });
    await cancelDeployment(edge.context, deployer, two.id);
    await ended(two);
    // The place is free, but of this account one runs already.
    expect((await read(again.id)).status).toBe("queued");
    await cancelDeployment(edge.context, deployer, one.id);
    await expect.poll(async () => (await read(again.id)).status, patient).toBe("running");
  });

  test("deploy to all: disabled ones and those of another kind are skipped", async () => {
    await add("gpu-one", "ak-unknown");
    await add("gpu-two", "ak-unknown");
    await add("gpu-off", "ak-unknown");
    const { accounts } = edge.installation;
    await edge.context.database.write((tx) =>
      tx.prepare("UPDATE worker_accounts SET status = 'disabled' WHERE workspace = 'gpu-off'").run(),
    );
    const plain = {
      label: "Attic",
      workspace: "attic-gpu",
      kind: "http",
      base_url: worker.url,
      worker_key: worker.key,
    };
    await addAccount(edge.context, accounts, plain as Parameters<typeof addAccount>[2]);
    const queued = await deployAll(edge.context, deployer);
    expect(queued.map(({ workspace }) => workspace).sort()).toEqual(["gpu-one", "gpu-two"]);
    await Promise.all(queued.map(ended));
    expect((await audit()).filter((row) => row.includes("deploy_all"))).toEqual(["system deploy_all  success"]);
    await expect(deploy("attic-gpu")).rejects.toMatchObject({
      code: "validation_failed",
      fields: [{ code: "not_for_kind" }],
    });
    await expect(deploy("nobody")).rejects.toMatchObject({ code: "not_found" });
  });

  test("an account that is deleted meanwhile takes its deploy with it", async () => {
    const token = await add("cloud-gpu", "ak-slow");
    const { id } = await deploy();
    await expect.poll(() => callsOf(token).length, patient).toBeGreaterThan(0);
    await deleteAccount(edge.context, edge.installation.accounts, "cloud-gpu", false);
    expect((await ended({ id })).error).toMatchObject({ code: "account_deleted" });
  });

  test("a stop of the server ends what runs and keeps what waits", async () => {
    for (const workspace of ["gpu-one", "gpu-two", "gpu-three"]) await add(workspace, "ak-slow");
    const all = [await deploy("gpu-one"), await deploy("gpu-two"), await deploy("gpu-three")];
    const states = () =>
      Promise.all(all.map(async ({ id }) => [(await read(id)).status, (await read(id)).error?.code]));
    await expect
      .poll(async () => (await states()).map(([status]) => status), patient)
      .toEqual(["running", "running", "queued"]);
    await deployer.stop();
    expect(await states()).toEqual([
      ["failed", "interrupted"],
      ["failed", "interrupted"],
      ["queued", undefined],
    ]);
    deployer = await Deployer.open(edge.context, edge.installation.accounts, sourceFolder);
    deployer.wake();
    await expect.poll(async () => (await states())[2]?.[0], patient).toBe("running");
  });

  test("SC-008: tokens and worker key stand in no file, no log line and no answer", async () => {
    const known = await add("gpu-one");
    const unknown = await add("gpu-two", "ak-unknown");
    // An app that prints all it knows is the worst that can come.
    await writeFile(
      join(sourceFolder, appFile),
      `import os, sys\nprint(os.environ)\nprint(os.environ["MODAL_TOKEN_SECRET"][:-1], end="", file=sys.stderr)\nprint(os.environ["MODAL_TOKEN_SECRET"][-1], file=sys.stderr)\n${workerApp}`,
    );
    const answers = [await ended(await deploy("gpu-one")), await ended(await deploy("gpu-two"))];
    expect(answers[0]?.log.join("\n")).toContain("'MODAL_TOKEN_SECRET': '[redacted]'");
    const { keyring } = edge.installation.accounts;
    const keys = await Promise.all(
      ["gpu-one", "gpu-two"].map(async (name) => {
        const record = await account(name);
        return record === undefined ? null : openCredential(keyring, record, "workerKey");
      }),
    );
    const secrets = [known.tokenId, known.tokenSecret, unknown.tokenId, unknown.tokenSecret, ...keys.map(String)];
    const files = filesBelow(edge.folder);
    expect(files.length).toBeGreaterThan(3);
    for (const secret of secrets) {
      for (const file of files) expect(readFileSync(file).includes(secret), file).toBe(false);
      expect(edge.logged.join("") + JSON.stringify(answers)).not.toContain(secret);
    }
  });

  test("new credentials are those of the next deploy", async () => {
    await add("cloud-gpu", "ak-unknown");
    await ended(await deploy());
    const token = { token_id: `ak-known-again${nth}`, token_secret: "as-another-secret-1" };
    await rotateCredentials(edge.context, edge.installation.accounts, "cloud-gpu", token);
    expect(await ended(await deploy())).toMatchObject({ status: "done" });
  });

  test("credentials that cannot be read are a failure of their own", async () => {
    await add();
    const other = { ...edge.installation.accounts, keyring: createKeyring([Buffer.alloc(32, 7)]) };
    await deployer.stop();
    deployer = await Deployer.open(edge.context, other, sourceFolder);
    expect((await ended(await deploy())).error).toMatchObject({ code: "credentials_unreadable" });
  });

  test("a kept source that is damaged is not deployed", async () => {
    for (const workspace of ["gpu-one", "gpu-two"]) await add(workspace, "ak-slow");
    for (const workspace of ["gpu-one", "gpu-two"]) await deploy(workspace);
    await add();
    const queued = await deploy();
    const folder = join(edge.folder, "deployments", "sources");
    const kept = readdirSync(folder);
    expect(kept).toEqual([queued.sourceHash]);
    await writeFile(join(folder, queued.sourceHash), "something else");
    await deployer.stop();
    deployer = await Deployer.open(edge.context, edge.installation.accounts, sourceFolder);
    deployer.wake();
    expect((await ended(queued)).error).toMatchObject({ code: "source_missing" });
    // The next deploy keeps the same bytes anew.
    expect(await ended(await deploy())).toMatchObject({ status: "done" });
  });
});

/** Ids of the processes whose working folder belongs to this run. */
function processesWith(id: string): number[] {
  if (process.platform !== "linux") return [];
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "utf8").includes(id);
      } catch {
        return false;
      }
    })
    .map(Number);
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
