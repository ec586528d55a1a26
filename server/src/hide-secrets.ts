import type { Config } from "./config.ts";
import type { Log } from "./log.ts";
import type { Secrets } from "./secrets/resolve-secrets.ts";

/** No value of a secret may stand in a log line, whatever error carries it there. */
export function hideSecrets(log: Log, config: Config, secrets: Secrets): void {
  log.hide(secrets.apiKey);
  log.hide(secrets.adminKey);
  log.hide(secrets.encryptionKey.toString("base64"));
  for (const value of config.databaseUrl === null ? [] : secretsOfUrl(config.databaseUrl)) log.hide(value);
  if (config.accessPassword !== null) log.hide(config.accessPassword);
  if (config.metricsToken !== null) log.hide(config.metricsToken);
  if (typeof config.moderation?.secret === "string") log.hide(config.moderation.secret);
  if (config.webhook !== null) {
    log.hide(config.webhook.secret);
    log.hide(config.webhook.url);
  }
}

/** The address as a whole and the password in it, as it stands there and as it is sent. */
function secretsOfUrl(address: string): string[] {
  const password = URL.parse(address)?.password ?? "";
  if (password === "") return [address];
  try {
    return [address, password, decodeURIComponent(password)];
  } catch {
    return [address, password];
  }
}
