/** What is allowed while trying out and refused in production, where others can reach the server: each by the name of its setting. */
import { isLoopbackHost } from "./setting-forms.ts";

export interface JudgedSettings {
  readonly host: string;
  readonly apiKey: string | null;
  readonly adminKey: string | null;
  readonly encryptionKey: string | null;
  readonly sessionSecret: string | null;
  readonly accessPassword: string | null;
  readonly metricsToken: string | null;
  readonly keysOnly: boolean;
  readonly frontendOrigins: readonly string[];
  readonly trustedProxies: readonly string[];
  readonly allowedHosts: readonly string[];
  readonly publicBaseUrl: string | null;
  readonly modalServerUrl: string | null;
}

/** `openFiles`: settings whose files every user of this machine can read. One line each; none repeats a secret. */
export function findUnsafe(settings: JudgedSettings, openFiles: readonly string[]): string[] {
  const problems = openFiles.map(
    (variable) => `${variable}: every user of this machine can read the file; take that right away (chmod o-r).`,
  );
  return [...problems, ...findWeakSecrets(settings), ...findUnguarded(settings), ...findPlain(settings)];
}

function findWeakSecrets(settings: JudgedSettings): string[] {
  const problems: string[] = [];
  const { apiKey, adminKey, accessPassword, encryptionKey, sessionSecret, metricsToken } = settings;
  for (const [name, key] of Object.entries({ API_KEY: apiKey, ADMIN_KEY: adminKey })) {
    if (key !== null && isGuessable(key, 20))
      problems.push(
        `${name}: can be guessed; take 20 characters or more that a machine has drawn (openssl rand -base64 32).`,
      );
  }
  if (accessPassword !== null && isGuessable(accessPassword, 8))
    problems.push("ACCESS_PASSWORD: can be guessed; take 8 characters or more, and none of the usual words.");
  if (encryptionKey !== null && new Set(encryptionKey).size < 8)
    problems.push("ENCRYPTION_KEY: is not random (openssl rand -base64 32).");
  if (sessionSecret !== null && new Set(sessionSecret).size < 8)
    problems.push("SESSION_SECRET: is not random (openssl rand -base64 32).");
  const named = Object.entries({
    API_KEY: apiKey,
    ADMIN_KEY: adminKey,
    ENCRYPTION_KEY: encryptionKey,
    SESSION_SECRET: sessionSecret,
    ACCESS_PASSWORD: accessPassword,
    METRICS_TOKEN: metricsToken,
  });
  for (const [index, [name, value]] of named.entries()) {
    const twin = named.slice(0, index).find(([, other]) => value !== null && other === value);
    if (twin !== undefined) problems.push(`${name}: is the same as ${twin[0]}; each secret needs a value of its own.`);
  }
  return problems;
}

const usualWords =
  /^(?:change-?_?me|password|passwort|secret|admin|safelight|example|letmein|qwerty|default|test)[-_\d!]*$/i;

function isGuessable(secret: string, least: number): boolean {
  return secret.length < least || new Set(secret).size < Math.min(8, least - 3) || usualWords.test(secret);
}

/** Reachable by others without a word of proof, or with one that travels readable. */
function findUnguarded(settings: JudgedSettings): string[] {
  const { host, accessPassword, keysOnly, publicBaseUrl, trustedProxies, allowedHosts } = settings;
  const isOpen = !isLoopbackHost(host);
  const isGuarded = accessPassword !== null || keysOnly;
  const problems: string[] = [];
  const isPublished =
    (publicBaseUrl !== null && !isLoopback(publicBaseUrl)) || trustedProxies.length > 0 || allowedHosts.length > 0;
  if (!isOpen && isPublished && !isGuarded) {
    const names = [
      ...(publicBaseUrl === null ? [] : ["PUBLIC_BASE_URL"]),
      ...(trustedProxies.length > 0 ? ["TRUSTED_PROXIES"] : []),
      ...(allowedHosts.length > 0 ? ["ALLOWED_HOSTS"] : []),
    ];
    problems.push(
      `ACCESS_PASSWORD: ${names.join(" and ")} tell of callers from outside, so it or KEYS_ONLY=1 must be set; otherwise everybody may come in.`,
    );
  }
  if (isOpen && trustedProxies.length === 0) {
    problems.push(
      `HOST: on ${host} keys and cookies travel readable: let a proxy end TLS and name it in TRUSTED_PROXIES (or leave HOST at 127.0.0.1).`,
    );
  }
  return problems;
}

function findPlain({ frontendOrigins, publicBaseUrl, modalServerUrl }: JudgedSettings): string[] {
  const problems: string[] = [];
  const plain = frontendOrigins.find((origin) => origin.startsWith("http:") && !isLoopback(origin));
  if (plain !== undefined)
    problems.push(`FRONTEND_ORIGINS: ${plain} is not https, so that anybody on the way can speak in its name.`);
  for (const [name, url] of Object.entries({ PUBLIC_BASE_URL: publicBaseUrl, MODAL_SERVER_URL: modalServerUrl })) {
    if (url?.startsWith("http:") === true && !isLoopback(url))
      problems.push(`${name}: must be an https address in production.`);
  }
  return problems;
}

function isLoopback(url: string): boolean {
  return isLoopbackHost(new URL(url).hostname);
}
