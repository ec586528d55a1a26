/**
 * Structured logs, one JSON object a line. Nothing secret and nothing a creator wrote may reach them, however deep it is nested:
 * pino's own wildcards look one level down only, so every value passes through `redact` before pino sees it.
 */
import { type DestinationStream, destination, pino } from "pino";

export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "fatal" | "silent";
export type LogFields = Readonly<Record<string, unknown>>;

export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A log whose every line also carries these fields. */
  child(fields: LogFields): Log;
  /** From now on this value is struck out wherever it stands in a text, also as an address or JSON writes it; shared by all children. */
  hide(secret: string): void;
  /** The text without what is hidden, for answers that repeat what a caller has sent. */
  strike(text: string): string;
}

const removed = "[redacted]";
const deepest = 10;

// Compared without case, dashes and underscores, so apiKey, api_key, API-KEY and x-api-key are one name.
const secretName =
  /(apikey|adminkey|workerkey|encryptionkey|accesskey|privatekey|password|passwd|secret|token|credential|authorization|cookie|prompt)/;
// Names that contain a word of the list and are harmless.
const harmlessNames = new Set(["promptlength", "tokenid_prefix", "credentialkind", "secretfile", "secretname"]);

const secretsInText: readonly (readonly [RegExp, string])[] = [
  [/([?&;\s"'](?:x[-_])?(?:api|admin|access|worker)[-_]?key=)[^&\s"'#;]*/gi, `$1${removed}`],
  [/([?&;\s"'](?:[a-z]+_)?(?:token|password|secret|prompt)=)[^&\s"'#;]*/gi, `$1${removed}`],
  [/(gg_(?:admin_)?session=)[^;\s"']*/gi, `$1${removed}`],
  [/\b(bearer|basic)\s+[a-z0-9._~+/=-]{8,}/gi, `$1 ${removed}`],
  [/data:image\/[a-z+.-]+;base64,[a-z0-9+/=]*/gi, "data:[image]"],
];

/** Strikes out api keys, cookies, bearer tokens and pictures that stand inside a text, such as a URL or an error message. */
export function redactText(text: string, hidden: Iterable<string> = []): string {
  let result = text;
  for (const secret of hidden) if (result.includes(secret)) result = result.replaceAll(secret, removed);
  for (const [pattern, replacement] of secretsInText) result = result.replace(pattern, replacement);
  return result;
}

/** Copies a value for the log without secrets, prompts, binary data or cycles. */
export function redact(value: unknown, hidden: Iterable<string> = [], seen: readonly object[] = []): unknown {
  if (typeof value === "string") return redactText(value, hidden);
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null) return typeof value === "function" ? "[function]" : value;
  if (seen.includes(value)) return "[circular]";
  if (seen.length >= deepest) return "[too deep]";
  const path = [...seen, value];
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
  if (value instanceof URL) return redactText(value.href, hidden);
  if (value instanceof Error) return redactError(value, hidden, path);
  if (Array.isArray(value)) return value.map((entry) => redact(entry, hidden, path));
  if (value instanceof Set) return [...value].map((entry) => redact(entry, hidden, path));
  const entries =
    value instanceof Map ? [...value].map(([key, entry]) => [String(key), entry] as const) : Object.entries(value);
  return Object.fromEntries(
    entries.map(([name, entry]) => [name, isSecretName(name) ? strike(entry) : redact(entry, hidden, path)]),
  );
}

function isSecretName(name: string): boolean {
  const plain = name.toLowerCase().replaceAll(/[-_\s]/g, "");
  return secretName.test(plain) && !harmlessNames.has(plain);
}

function strike(value: unknown): unknown {
  return value === null || value === undefined || typeof value === "boolean" ? value : removed;
}

function redactError(error: Error, hidden: Iterable<string>, path: readonly object[]): unknown {
  const own = redact(Object.fromEntries(Object.entries(error).filter(([name]) => name !== "cause")), hidden, path);
  return {
    ...(typeof own === "object" ? own : {}),
    name: error.name,
    message: redactText(error.message, hidden),
    stack: error.stack === undefined ? undefined : redactText(error.stack, hidden),
    ...(error.cause === undefined ? {} : { cause: redact(error.cause, hidden, path) }),
  };
}

/** Writes to standard output unless another destination is given. Lines are written before the call returns. */
export function createLog(options: { level: LogLevel; destination?: DestinationStream }): Log {
  const hidden = new Set<string>();
  const root = pino(
    {
      level: options.level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
    },
    options.destination ?? destination({ fd: 1, sync: true }),
  );

  const wrap = (logger: typeof root): Log => {
    const write = (level: "debug" | "info" | "warn" | "error") => (message: string, fields?: LogFields) => {
      if (!logger.isLevelEnabled(level)) return;
      logger[level](fields === undefined ? {} : (redact(fields, hidden) as object), redactText(message, hidden));
    };
    return {
      debug: write("debug"),
      info: write("info"),
      warn: write("warn"),
      error: write("error"),
      child: (fields) => wrap(logger.child(redact(fields, hidden) as object)),
      hide: (secret) => {
        if (secret.length < 6) return;
        const forms = [secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)];
        // In what was encoded the secret ends where it ends: the last sign may hold bits of what follows.
        const base64 = Buffer.from(secret).toString("base64").replace(/=+$/, "").slice(0, -1);
        for (const form of [...forms, base64, base64.replaceAll("+", "-").replaceAll("/", "_")]) hidden.add(form);
      },
      strike: (text) => redactText(text, hidden),
    };
  };
  return wrap(root);
}

/** A log that writes nothing: for tests and for tools that have their own output. */
export function silentLog(): Log {
  return createLog({ level: "silent", destination: { write: () => undefined } });
}
