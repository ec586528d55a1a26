import { type AuditKeys, makeAuditKey, parseAuditKeys } from "../audit/keys.ts";
import type { Config } from "../config.ts";
import { StartupError } from "../errors.ts";
import type { Log } from "../log.ts";
import { readSecret, refuseOwnValue, secretFile, writeSecretOnce } from "./resolve-secrets.ts";

/**
 * The keys that sign the audit log: AUDIT_KEY, else a file in the data directory that the first start makes. Nobody has to be told of it,
 * so that it is made in stage and prod too, unless there may be several gateways. Throws a StartupError that names what is unreadable.
 */
export async function resolveAuditKeys(
  config: Pick<Config, "dataDirectory" | "auditKey" | "environment" | "databaseUrl">,
  log: Log,
): Promise<AuditKeys> {
  const file = secretFile(config.dataDirectory, "audit-key");
  if (config.auditKey === null) refuseOwnValue(config, "AUDIT_KEY");
  const text = config.auditKey ?? (await readOrMake(file));
  log.hide(text);
  for (const part of text.split(",")) log.hide(part.trim());
  const keys = parseAuditKeys(text);
  if (keys !== null) return keys;
  const named = config.auditKey === null ? file : "AUDIT_KEY";
  throw new StartupError(
    `${named}: must be an Ed25519 key in base64 (openssl genpkey -algorithm ed25519 -outform DER | base64 -w0); former ones may follow, separated by commas.`,
  );
}

async function readOrMake(file: string): Promise<string> {
  const kept = await readSecret(file);
  if (kept !== null) return kept;
  const made = makeAuditKey();
  await writeSecretOnce(file, made);
  return (await readSecret(file)) ?? made;
}
