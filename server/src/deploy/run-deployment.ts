/** One deploy from the kept source to the address of the worker. */
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Context } from "../context/context.ts";
import { CipherError, type Keyring } from "../keys/keyring.ts";
import { parseDestination } from "../network/destination.ts";
import { TransportError } from "../network/transport-error.ts";
import type { DeployLimits } from "../tasks/time-limits.ts";
import { openCredential } from "../worker-accounts/account-credentials.ts";
import { type AccountRecord, readAccount } from "../worker-accounts/account-record.ts";
import type { Outcome } from "./change-deployment.ts";
import { type CommandEnd, runCommand } from "./command.ts";
import type { DeploymentLog } from "./deployment-log.ts";
import type { DeploymentRecord } from "./deployment-record.ts";
import { addressUnknown, deployedAllTheSame, type Ending, endings, explainEnd, type Failure } from "./explain-end.ts";
import { askArguments, childEnvironment, type DeployCredentials, deployArguments } from "./modal-command.ts";
import { LineReader, Redactor } from "./redact-output.ts";
import type { SourceStore } from "./source-store.ts";

export interface RunParts {
  readonly context: Context;
  readonly keyring: Keyring;
  readonly sources: SourceStore;
  /** Where runs have their private folders. */
  readonly runsFolder: string;
  readonly python: string;
  readonly limits: DeployLimits;
}

interface Run {
  readonly parts: RunParts;
  readonly record: DeploymentRecord;
  readonly account: AccountRecord;
  readonly env: Readonly<Record<string, string>>;
  readonly sourceFolder: string;
  readonly redactor: Redactor;
  readonly log: DeploymentLog;
  readonly signal: AbortSignal;
}

/** Whatever goes wrong is an outcome, unless it is a bug or the disk. `signal` is aborted with an `Ending` as its reason. */
export async function runDeployment(
  parts: RunParts,
  record: DeploymentRecord,
  log: DeploymentLog,
  signal: AbortSignal,
): Promise<Outcome> {
  const { context } = parts;
  const account = await readAccount(context.database.prepareRead, record.workspace);
  if (account?.id !== record.accountId) return { code: "account_deleted", detail: endings.account_deleted };
  const credentials = readCredentials(parts.keyring, account);
  if ("code" in credentials) return credentials;
  const folder = join(parts.runsFolder, record.id);
  const sourceFolder = join(folder, "source");
  const home = join(folder, "home");
  try {
    for (const one of [sourceFolder, home]) await mkdir(one, { recursive: true, mode: 0o700 });
    if (!(await parts.sources.unpack(record.sourceHash, sourceFolder))) {
      return { code: "source_missing", detail: "The kept source of this version is gone or damaged." };
    }
    const { tokenId, tokenSecret, workerKey } = credentials;
    const redactor = new Redactor([tokenId, tokenSecret, workerKey], [sourceFolder, folder]);
    const env = childEnvironment(context.config, home, credentials, record.settings);
    const outcome = await deployAndAsk({ parts, record, account, env, sourceFolder, redactor, log, signal });
    return "baseUrl" in outcome ? { ...outcome, workerKey } : outcome;
  } finally {
    await rm(folder, { recursive: true, force: true }).catch((error: unknown) =>
      context.log.warn("the folder of a deploy could not be removed; the next start does it", { error }),
    );
  }
}

async function deployAndAsk(run: Run): Promise<Outcome> {
  // The command is silent for as long as nothing goes wrong; somebody may be looking.
  run.log.note(`Deploying the app ${run.record.settings.app} …`);
  const deployed = await callPython(run, deployArguments(run.record.settings), ["stdout", "stderr"]);
  if (run.signal.aborted) return endedEarly(run.signal, deployed.end.exitCode === 0);
  if (deployed.end.exitCode !== 0) return explainEnd(deployed.end, run.log.lastLines);
  run.log.note("Asking Modal for the address …");
  const asked = await callPython(
    { ...run, signal: AbortSignal.any([run.signal, AbortSignal.timeout(run.parts.limits.ask)]) },
    askArguments(),
    ["stderr"],
  );
  if (run.signal.aborted) return endedEarly(run.signal, true);
  return judgeAddress(run, asked);
}

interface Called {
  readonly end: CommandEnd;
  /** What was printed to the standard output and is not in the log. */
  readonly answer: string;
}

async function callPython(run: Run, args: readonly string[], logged: readonly string[]): Promise<Called> {
  const { parts, log, redactor } = run;
  const readers = {
    stdout: new LineReader(redactor, (line) => log.add(line)),
    stderr: new LineReader(redactor, (line) => log.add(line)),
  };
  let answer = "";
  const end = await runCommand({
    program: parts.python,
    args,
    env: run.env,
    folder: run.sourceFolder,
    signal: run.signal,
    grace: parts.limits.grace,
    onOutput: (stream, chunk) => {
      if (logged.includes(stream)) readers[stream].write(chunk);
      else if (answer.length < 10_000) answer += chunk.toString("utf8");
    },
  });
  readers.stdout.end();
  readers.stderr.end();
  return { end, answer };
}

function judgeAddress({ parts, account, redactor }: Run, { end, answer }: Called): Outcome {
  if (end.exitCode !== 0) return addressUnknown("Its address could not be asked for.");
  const url = urlIn(answer);
  if (url === null) return addressUnknown("It has no web address.");
  try {
    const rules = { workerNetworks: parts.context.config.workerNetworks, allowPlainHttp: account.allowPlainHttp };
    return { baseUrl: parseDestination(redactor.clean(url), rules).href.replace(/\/+$/, "") };
  } catch (error) {
    if (error instanceof TransportError) return addressUnknown(`Its address cannot be used. ${error.message}`);
    throw error;
  }
}

/** The `url` of the last line. */
function urlIn(answer: string): string | null {
  try {
    const { url } = JSON.parse(answer.trim().split("\n").at(-1) ?? "") as { url?: unknown };
    return typeof url === "string" ? url : null;
  } catch {
    return null;
  }
}

function endedEarly(signal: AbortSignal, deployed: boolean): Failure {
  const code = signal.reason as Ending;
  return { code, detail: deployed ? `${endings[code]} ${deployedAllTheSame}` : endings[code] };
}

function readCredentials(keyring: Keyring, account: AccountRecord): DeployCredentials | Failure {
  const unreadable = (detail: string): Failure => ({ code: "credentials_unreadable", detail });
  try {
    const tokenId = openCredential(keyring, account, "tokenId");
    const tokenSecret = openCredential(keyring, account, "tokenSecret");
    // A new key that waits is set by this deploy, and counts once it has ended.
    const workerKey =
      openCredential(keyring, account, "nextWorkerKey") ?? openCredential(keyring, account, "workerKey");
    if (tokenId === null || tokenSecret === null || workerKey === null) {
      return unreadable("The account has no Modal token.");
    }
    return { tokenId, tokenSecret, workerKey };
  } catch (error) {
    if (error instanceof CipherError) return unreadable(`Its credentials cannot be read. ${error.message}`);
    throw error;
  }
}
