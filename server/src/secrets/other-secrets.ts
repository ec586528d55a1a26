/** Secrets that this installation is given, or that only sign: it says how old they are and does not make them anew. */
import { type AuditKeys, describeKey } from "../audit/keys.ts";
import type { Config } from "../config.ts";
import { type FoundSecret, secretFile } from "./resolve-secrets.ts";
import { writtenAt } from "./secret-files.ts";

/**
 * Those that are set. The audit key is known by its public half. `isShared`: other gateways have audit keys of their own, and former or
 * coming ones have to be known as well.
 */
export async function findOtherSecrets(
  config: Config,
  auditKeys: AuditKeys,
  isShared: boolean,
): Promise<FoundSecret[]> {
  const given = (name: string, variable: string, value: string | null): FoundSecret[] =>
    value === null
      ? []
      : [
          {
            name,
            source: config.fromFiles.includes(variable) ? "file" : "environment",
            variable,
            file: null,
            values: [value],
            waiting: [],
            writtenAt: null,
            isNew: false,
          },
        ];
  return [
    await findAuditKey(config, auditKeys, isShared),
    ...given("access-password", "ACCESS_PASSWORD", config.accessPassword),
    ...given("metrics-token", "METRICS_TOKEN", config.metricsToken),
    ...given("webhook-secret", "WEBHOOK_SECRET", config.webhook?.secret ?? null),
  ];
}

async function findAuditKey(
  config: Config,
  { currentId, publicKeys }: AuditKeys,
  isShared: boolean,
): Promise<FoundSecret> {
  const file = secretFile(config.dataDirectory, "audit-key");
  const publicKey = publicKeys.get(currentId);
  const isOurs = config.auditKey === null;
  return {
    name: "audit-key",
    source: isOurs ? "generated" : config.fromFiles.includes("AUDIT_KEY") ? "file" : "environment",
    variable: "AUDIT_KEY",
    file: isOurs ? file : null,
    values: (isShared ? [...publicKeys.values()] : [publicKey]).flatMap((key) =>
      key === undefined ? [] : [describeKey(key)],
    ),
    waiting: [],
    writtenAt: isOurs ? await writtenAt(file) : null,
    isNew: false,
  };
}
