// `safelight audit`: takes the audit log away, and checks what was taken without any server.
import { createWriteStream } from "node:fs";
import { readFile, rename, rm } from "node:fs/promises";
import { resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { ReadableStream } from "node:stream/web";
import { type AuditCheckpoint, pathOf } from "@safelight/contract";
import { type ExportVerification, NotAnExport, parsePublicKey, readCheckpoint, verifyExport } from "@safelight/server";
import type { Connection } from "../connection/connect.ts";
import { CommandError, exitCodes, usageError } from "../failure.ts";

export interface VerifyFlags {
  publicKey?: string[];
  checkpoint?: string[];
  json?: boolean;
}

/** Resolves with the exit code: 0 where everything holds, 1 where something does not. Reads nothing but the files it is given. */
export async function verifyAudit(file: string, flags: VerifyFlags): Promise<number> {
  const publicKeys = await Promise.all((flags.publicKey ?? []).map(readKey));
  const checkpoints = (await Promise.all((flags.checkpoint ?? []).map(readCheckpoints))).flat();
  const result = await verifyExport(resolve(file), { publicKeys, checkpoints }).catch((error: unknown) => {
    throw explain(file, error);
  });
  const text = flags.json === true ? JSON.stringify(result) : describe(result, checkpoints.length).join("\n");
  process.stdout.write(`${text}\n`);
  return result.intact ? 0 : exitCodes.failed;
}

/** The result for people: what broke first, what held, and what no check can show. */
export function describe(result: ExportVerification, keptCount: number): string[] {
  const { first_broken: row, checkpoints, pruned, checked, first_id: first, last_id: last } = result;
  const lines = [result.intact ? "The audit log holds." : "The audit log is BROKEN."];
  if (row !== null) lines.push(`first broken row: ${row.id} (${row.code}). ${row.detail}`);
  const broken = checkpoints.first_broken;
  if (broken !== null) lines.push(`first broken checkpoint: ${broken.sequence} (${broken.code}). ${broken.detail}`);
  lines.push(
    `${checked} rows hold${checked === 0 ? "" : `, ${first} to ${last}`}; ${checkpoints.checked} checkpoints hold`,
  );
  if (pruned !== null)
    lines.push(`${pruned.rows} rows were removed at the end of their retention, the last on ${pruned.at}`);
  for (const kept of result.kept) lines.push(`kept elsewhere: ${kept.detail}`);
  lines.push(`keys: ${result.key_ids.join(", ") || "none"}${result.keys_given ? " (given)" : ""}`);
  if (!result.keys_given) {
    lines.push(
      "note: the keys are those of the file itself. Whoever wrote the file may have made them: give --public-key.",
    );
  }
  if (keptCount === 0) lines.push("note: no checkpoint that was kept elsewhere was compared: give --checkpoint.");
  for (const { detail } of result.cannot_show) lines.push(`cannot show: ${detail}`);
  return lines;
}

/** Writes the log of the server that answers into a file; it gets its name when it is whole. */
export async function exportAudit({ url }: Connection, adminKey: string | undefined, file: string): Promise<void> {
  if (adminKey === undefined) throw usageError("The admin key is not known: set ADMIN_KEY or give --admin-key.");
  const target = resolve(file);
  const partial = `${target}.part`;
  const cookie = await logIn(url, adminKey);
  try {
    const answer = await fetch(url + pathOf("exportAudit"), { headers: { cookie } });
    if (!answer.ok || answer.body === null) throw refused(answer.status);
    await pipeline(Readable.fromWeb(answer.body as ReadableStream), createWriteStream(partial, { mode: 0o600 }));
    await rename(partial, target);
  } finally {
    await rm(partial, { force: true });
    await fetch(url + pathOf("deleteAdminSession"), { method: "DELETE", headers: { cookie } }).catch(() => undefined);
  }
  process.stderr.write(`Saved ${target}. Check it with: safelight audit verify ${file}\n`);
}

async function logIn(url: string, adminKey: string): Promise<string> {
  const headers = { "x-admin-key": adminKey };
  const answer = await fetch(url + pathOf("createAdminSession"), { method: "POST", headers });
  if (!answer.ok) throw refused(answer.status);
  return (answer.headers.getSetCookie()[0] ?? "").split(";")[0] ?? "";
}

function refused(status: number): CommandError {
  return new CommandError(exitCodes.unavailable, "not_let_in", `The server answers ${status}: is the admin key right?`);
}

async function readKey(given: string) {
  const text = await readGiven(given);
  return parsePublicKey(text) ?? fail(`--public-key ${given} is neither a public key in base64 nor a file with one.`);
}

/** A checkpoint in JSON, or lines of the server's log that hold some. */
async function readCheckpoints(given: string): Promise<AuditCheckpoint[]> {
  const text = await readGiven(given);
  const found = text.split("\n").flatMap((line) => checkpointIn(line) ?? []);
  const whole = found.length > 0 ? null : checkpointIn(text);
  if (whole !== null) return [whole];
  return found.length > 0 ? found : fail(`--checkpoint ${given} is no checkpoint in JSON, and no file with one.`);
}

function checkpointIn(text: string): AuditCheckpoint | null {
  try {
    const value = JSON.parse(text) as Record<string, unknown> | null;
    const inner = (typeof value?.checkpoint === "object" ? value.checkpoint : value) as Record<string, unknown> | null;
    return typeof inner?.signature === "string" ? readCheckpoint(inner) : null;
  } catch {
    return null;
  }
}

/** The content of the file of this name, or else the text itself. */
async function readGiven(given: string): Promise<string> {
  try {
    return (await readFile(resolve(given), "utf8")).trim();
  } catch {
    return given;
  }
}

function fail(text: string): never {
  throw usageError(text);
}

function explain(file: string, error: unknown): unknown {
  const { code } = error as { code?: unknown };
  if (error instanceof NotAnExport) return usageError(`${file}: ${error.message}`);
  return typeof code === "string" ? usageError(`${file} cannot be read (${code}).`) : error;
}
