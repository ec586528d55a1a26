/**
 * Gateways on one database are given their secrets one by one, and have to be given the same. Where others run, one that was given another
 * value does not start: taken for a change, as where there is only one, it would lock out everybody who uses the value in force.
 */
import { appendAudit } from "../audit/append.ts";
import type { Context } from "../context/context.ts";
import type { Transaction } from "../database/database.ts";
import { StartupError } from "../errors.ts";
import { livingFor } from "../gateways/presence.ts";
import { shownId } from "./fingerprint.ts";
import { type Configured, replaceVersion, type SecretVersion, versionsOf } from "./secret-versions.ts";

/** Names the row that holds the instance of the gateway that was here last. */
const lastToNote = "last_to_note_secrets";
/** With these something is made that others have to read: who does not have the one in force cannot take part. */
const neededByAll = ["encryption-key", "session-secret"];
/** Those that not every installation has. */
const optional: Readonly<Record<string, string>> = {
  "access-password": "ACCESS_PASSWORD",
  "metrics-token": "METRICS_TOKEN",
  "webhook-secret": "WEBHOOK_SECRET",
};

/**
 * Refuses what differs from what counts while others run, by the name of its setting. A value that every gateway knows already, as it
 * stood after the one in force, comes into force where it stands first. In the transaction that notes what was found, before anything else.
 * `settings`: names of the settings by names of secrets. Errors: StartupError.
 */
export async function agreeWithOthers(
  context: Context,
  tx: Transaction,
  configured: readonly Configured[],
  settings: ReadonlyMap<string, string>,
): Promise<void> {
  const areThere = await othersRun(context, tx);
  const problems: string[] = [];
  for (const found of configured) {
    if (found.fingerprints.length === 0) continue;
    const known = await versionsOf(tx.prepare, found.name);
    if (await movesOn(context, tx, found, known)) continue;
    if (areThere && isForeign(context, found, known)) {
      const setting = settings.get(found.name) ?? found.name;
      problems.push(
        `${setting}: differs from that of this installation, with which other gateways run. ${wayOut(found.name)}`,
      );
    }
  }
  problems.push(...(await missingHere(context, tx, configured, areThere)));
  if (problems.length > 0) {
    problems.push(`A gateway that was killed counts for ${livingFor / 1000} seconds.`);
    throw new StartupError(problems.join("\n"));
  }
  await tx
    .prepare(
      "INSERT INTO installation (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    )
    .run(lastToNote, context.instance);
}

/**
 * Those that serve, and the last one that noted its values, which may be starting still: of two that start at once after a change the
 * second sees what the first was given.
 */
async function othersRun({ clock, instance }: Context, { prepare }: Transaction): Promise<boolean> {
  const other = await prepare(
    `SELECT 1 AS one FROM gateways WHERE instance <> ? AND seen_at > ?
       AND (url IS NOT NULL OR instance = (SELECT value FROM installation WHERE name = ?)) LIMIT 1`,
  ).get(instance, clock.now() - livingFor, lastToNote);
  return other !== undefined;
}

/** The second step of a change by the settings: the new value first, the one in force after it. */
async function movesOn(
  context: Context,
  tx: Transaction,
  { name, source, fingerprints: [first = "", ...others] }: Configured,
  known: readonly SecretVersion[],
): Promise<boolean> {
  const current = known.find(({ state }) => state === "current");
  const isKnownToAll = known.some((version) => version.fingerprint === first && isFormer(context, version));
  if (current === undefined || !isKnownToAll || !others.includes(current.fingerprint)) return false;
  await replaceVersion(context, tx, { name, fingerprint: first, source, old: "former", acceptedUntil: null });
  const details = { secret: name, id: shownId(first), by: "settings" };
  await appendAudit(context, tx, { action: "rotate_secret", target: name, outcome: "success", details });
  return true;
}

function isForeign(context: Context, { name, fingerprints }: Configured, known: readonly SecretVersion[]): boolean {
  // The others run without one that not every installation has: a password, of which they would ask nobody.
  if (known.length === 0) return name in optional;
  const current = known.find(({ state }) => state === "current");
  if (neededByAll.includes(name) && current !== undefined && !fingerprints.includes(current.fingerprint)) return true;
  const own = known.find(({ fingerprint }) => fingerprint === fingerprints[0]);
  // A revoked one opens nothing, wherever it stands; the others accept a former one as well. With one that they do not know, or know no
  // more, something would be made that they cannot read, though the one in force stands behind it.
  return own === undefined || !(["current", "revoked"].includes(own.state) || isFormer(context, own));
}

function isFormer({ clock }: Context, { state, acceptedUntil }: SecretVersion): boolean {
  return state === "former" && (acceptedUntil === null || acceptedUntil > clock.now());
}

/** A gateway without the password would let everybody in. Where there are no others the setting was taken away, and is forgotten. */
async function missingHere(
  { clock }: Context,
  tx: Transaction,
  configured: readonly Configured[],
  areThere: boolean,
): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const [name, setting] of Object.entries(optional)) {
    if (configured.some((found) => found.name === name)) continue;
    if (!(await versionsOf(tx.prepare, name)).some(({ state }) => state === "current")) continue;
    if (areThere) {
      problems.push(`${setting}: is not set, and the other gateways of this installation have it. ${wayOut(name)}`);
      continue;
    }
    await tx
      .prepare(
        `UPDATE secret_versions SET state = 'retired', accepted_until = NULL, replaced_at = coalesce(replaced_at, ?)
         WHERE name = ? AND state IN ('current', 'former')`,
      )
      .run(clock.now(), name);
  }
  return problems;
}

function wayOut(name: string): string {
  const same = "Give every gateway the same value";
  if (name === "api-key" || name === "admin-key") {
    return `${same}; a new one is made by safelight secrets rotate ${name}, and counts beside the old one until every gateway has it.`;
  }
  if (name in optional) return `${same}; to change it, stop all gateways first.`;
  return `${same}; for a new one, put it after the one in force, with a comma, and restart gateway after gateway, then the same with the new one first.`;
}
