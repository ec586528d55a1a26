// `safelight secrets`: how old the secrets of an installation are, new ones in their place, and their end. All through the server that
// runs on the installation, or one in this process while none does.
import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { ApiKey, Client, Secret, SecretChanged, Secrets } from "@safelight/contract";
import { usageError } from "../failure.ts";

const day = 24 * 60 * 60 * 1000;

export async function printSecrets(client: Client, json: boolean): Promise<void> {
  const answer = await client.listSecrets();
  print(json ? JSON.stringify(answer) : describeSecrets(answer).join("\n"));
}

export interface RotateFlags {
  overlap?: string;
  now?: boolean;
  json?: boolean;
}

export async function rotate(client: Client, name: string, flags: RotateFlags): Promise<void> {
  if (flags.now === true && flags.overlap !== undefined) throw usageError("Give either --now or --overlap.");
  const hours =
    flags.now === true ? 0 : flags.overlap === undefined ? undefined : wholeNumber("--overlap", flags.overlap, 720);
  const body = hours === undefined ? {} : { overlap_hours: hours };
  tell(await client.rotateSecret({ path: { name }, body }), flags.json === true);
}

export async function revoke(
  client: Client,
  name: string,
  flags: { sessions?: boolean; json?: boolean },
): Promise<void> {
  const body = { sessions: flags.sessions === true };
  tell(await client.revokeSecret({ path: { name }, body }), flags.json === true);
}

export async function retire(client: Client, name: string, json: boolean): Promise<void> {
  tell(await client.retireSecret({ path: { name } }), json);
}

export async function recover(client: Client, name: string, json: boolean): Promise<void> {
  tell(await client.recoverSecret({ path: { name } }), json);
}

export async function printKeys(client: Client, json: boolean): Promise<void> {
  const { api_keys: keys } = await client.listApiKeys();
  if (json) return print(JSON.stringify({ api_keys: keys }));
  print(keys.length === 0 ? "There are no API keys but the one of the settings." : keys.map(describeKey).join("\n"));
}

export interface CreateKeyFlags {
  readOnly?: boolean;
  expiresIn?: string;
  output?: string;
  json?: boolean;
}

/** The key goes to standard output or into a file of its own, and is shown nowhere again. */
export async function createKey(client: Client, name: string, flags: CreateKeyFlags): Promise<void> {
  const days = flags.expiresIn === undefined ? undefined : wholeNumber("--expires-in", flags.expiresIn, 3650);
  const expires = days === undefined ? {} : { expires_at: new Date(Date.now() + days * day).toISOString() };
  const scope = flags.readOnly === true ? "read_only" : "generate";
  const made = await client.createApiKey({ body: { name, scope, ...expires } });
  if (flags.json === true) return print(JSON.stringify(made));
  const { key, ...rest } = made;
  process.stderr.write(`${describeKey(rest)}\n`);
  if (flags.output === undefined) {
    process.stderr.write("The key, shown this once:\n");
    return print(key);
  }
  const file = resolve(flags.output);
  try {
    await writeFile(file, `${key}\n`, { mode: 0o600, flag: "wx" });
  } catch (error) {
    await client.revokeApiKey({ path: { id: made.id } });
    throw usageError(
      `${file} cannot be written (${(error as NodeJS.ErrnoException).code}); the key was revoked again.`,
    );
  }
  process.stderr.write(`Saved ${file}, readable by you only.\n`);
}

export async function revokeKey(client: Client, nameOrId: string, json: boolean): Promise<void> {
  const { api_keys: keys } = await client.listApiKeys();
  const found = keys.find(({ id, name }) => id === nameOrId || name === nameOrId);
  if (found === undefined) throw usageError(`There is no API key ${nameOrId}: safelight secrets keys lists them.`);
  const revoked = await client.revokeApiKey({ path: { id: found.id } });
  print(json ? JSON.stringify(revoked) : describeKey(revoked));
}

/** One line for each secret, and below it what is to be done. */
export function describeSecrets({ environment, secrets }: Secrets): string[] {
  const width = Math.max(...secrets.map(({ name }) => name.length));
  return [
    `environment: ${environment}`,
    ...secrets.flatMap((secret) => [describeSecret(secret, width), ...belowOf(secret)]),
  ];
}

function describeSecret({ name, state, source, setting, age_days: age, id }: Secret, width: number): string {
  const from = setting === null || source === "generated" || source === "database" ? source : `${source} (${setting})`;
  const days = age === null ? "age unknown" : age === 1 ? "1 day" : `${age} days`;
  return `${name.padEnd(width)}  ${state.padEnd(8)} ${days.padEnd(12)} ${from}${id === null ? "" : `  ${id}`}`;
}

function belowOf({ former, next_step: step }: Secret): string[] {
  const until = (time: string | null) => (time === null ? "until it is retired" : `until ${time}`);
  return [
    ...former.map((one) => `    the former value ${one.id} counts ${until(one.accepted_until)}`),
    ...(step === null ? [] : [`    ${step}`]),
  ];
}

function describeKey({ name, scope, state, expires_at: expires, last_used_at: used }: ApiKey): string {
  const end = state === "active" && expires !== null ? `, until ${expires}` : "";
  return `${name}  ${scope}  ${state}${end}, ${used === null ? "never used" : `last used ${used}`}`;
}

function tell(changed: SecretChanged, json: boolean): void {
  if (json) return print(JSON.stringify(changed));
  const { secret, written_to: file, sessions_ended: sessions, next_steps: steps } = changed;
  const lines = [describeSecret(secret, secret.name.length)];
  for (const former of belowOf({ ...secret, next_step: null })) lines.push(former);
  if (file !== null) lines.push(`new value: ${file}`);
  if (sessions > 0) lines.push(`sessions ended: ${sessions}`);
  print([...lines, ...steps.map((step, index) => `${index + 1}. ${step}`)].join("\n"));
}

function wholeNumber(flag: string, text: string, most: number): number {
  const number = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
  if (number <= most) return number;
  throw usageError(`${flag} must be a whole number up to ${most}.`);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
