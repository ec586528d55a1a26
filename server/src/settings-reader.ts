import { readFileSync, statSync } from "node:fs";
import { isIP } from "node:net";
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseByteSize } from "./byte-size.ts";
import { isHostName, isLoopbackHost, parseEncryptionKeys, webhookSecretBytes } from "./setting-forms.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** The folder that holds package.json: relative paths in settings count from here, wherever the command was started. */
export const repositoryRoot = fileURLToPath(new URL("../../", import.meta.url));

/** A service that judges prompts too. */
export interface ModerationSetting {
  readonly url: string;
  /** Sent as bearer; null without. */
  readonly secret: string | null;
  readonly timeoutMs: number;
  /** What becomes of a prompt that it does not judge. */
  readonly onFailure: "refuse" | "accept";
}

/** Nothing but base64: what its decoder passes over would leave a short key, or none. */
const isSessionSecret = (text: string): boolean => /^[\w+/-]{32,}={0,2}$/.test(text.trim());

/** Secrets that decide who comes in, beside those named KEY. */
const opensUs = new Set(["ACCESS_PASSWORD", "METRICS_TOKEN", "SESSION_SECRET"]);

/** Reads one variable after the other and gathers what is wrong with them, so that a person sees all problems at once. */
export class SettingsReader {
  readonly problems: string[] = [];
  readonly refused = new Set<string>();
  readonly fromFiles: string[] = [];
  readonly secretFiles: string[] = [];
  /** Settings whose files every user of this machine can read. */
  readonly openFiles: string[] = [];
  readonly #environment: Environment;

  constructor(environment: Environment) {
    this.#environment = environment;
  }

  /** An empty variable counts as absent: that is what an untouched line of .env.example gives. */
  text(name: string): string | undefined {
    const value = this.#environment[name]?.trim();
    return value === "" ? undefined : value;
  }

  choice<const Choice extends string>(name: string, choices: readonly Choice[], fallback: Choice): Choice {
    const value = this.text(name)?.toLowerCase();
    if (value === undefined) return fallback;
    const found = choices.find((choice) => choice === value);
    return found ?? this.refuse(name, `must be one of ${choices.join(", ")}.`, fallback);
  }

  optionalChoice<const Choice extends string>(name: string, choices: readonly Choice[]): Choice | null {
    return this.text(name) === undefined ? null : this.choice<Choice | "">(name, choices, "") || null;
  }

  integer(name: string, fallback: number, minimum: number, maximum: number): number {
    const value = this.text(name);
    if (value === undefined) return fallback;
    const number = /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
    if (number >= minimum && number <= maximum) return number;
    return this.refuse(name, `must be a whole number from ${minimum} to ${maximum}.`, fallback);
  }

  /** An amount of storage such as `20GB`, in bytes. */
  bytes(name: string, minimum = 0): number | null {
    const value = this.text(name);
    if (value === undefined) return null;
    const bytes = parseByteSize(value);
    if (bytes !== null && bytes >= minimum) return bytes;
    const least = minimum === 0 ? "" : ` of at least ${minimum}`;
    return this.refuse(name, `must be a number of bytes${least}, or one with a unit such as 20GB.`, null);
  }

  /** Absolute. */
  path(name: string): string | null {
    const value = this.text(name);
    return value === undefined ? null : resolve(repositoryRoot, value);
  }

  /** A command of the path as it is, a path made absolute. */
  command(name: string): string | null {
    const value = this.text(name);
    if (value === undefined) return null;
    return value.includes("/") ? resolve(repositoryRoot, value) : value;
  }

  flag(name: string): boolean {
    const value = this.text(name)?.toLowerCase();
    if (value === undefined) return false;
    if (["1", "true", "yes", "on"].includes(value)) return true;
    if (["0", "false", "no", "off"].includes(value)) return false;
    return this.refuse(name, "must be 1 or 0.", false);
  }

  host(name: string, fallback: string): string {
    const value = this.text(name);
    if (value === undefined) return fallback;
    const plain = value.replace(/^\[(.*)\]$/, "$1");
    if (isIP(plain) > 0 || isHostName(plain)) return plain;
    return this.refuse(name, "must be an IP address or a host name, without scheme or port.", fallback);
  }

  list(name: string, parse: (entry: string) => string | { problem: string }): readonly string[] {
    const entries = (this.text(name) ?? "").split(",").flatMap((entry) => entry.trim() || []);
    const parsed = entries.map(parse);
    const bad = parsed.find((entry) => typeof entry !== "string");
    if (bad !== undefined && typeof bad !== "string") return this.refuse(name, bad.problem, []);
    return Object.freeze(parsed.filter((entry) => typeof entry === "string"));
  }

  baseUrl(name: string): string | null {
    const value = this.text(name);
    if (value === undefined) return null;
    const url = URL.parse(value);
    const fits =
      url !== null &&
      (url.protocol === "http:" || url.protocol === "https:") &&
      url.username === "" &&
      url.password === "" &&
      url.search === "" &&
      url.hash === "" &&
      url.pathname === "/";
    if (fits) return url.origin;
    return this.refuse(
      name,
      "must be an http or https address without path, query or user, such as https://host.example.",
      null,
    );
  }

  moderation(): ModerationSetting | null {
    const url = this.#address("MODERATION_URL");
    const secret = this.secret("MODERATION_SECRET");
    const timeoutMs = this.integer("MODERATION_TIMEOUT", 5, 1, 30) * 1000;
    const onFailure = this.choice("MODERATION_ON_FAILURE", ["refuse", "accept"], "refuse");
    if (url !== null) return { url, secret, timeoutMs, onFailure };
    if (secret === null || this.refused.has("MODERATION_URL")) return null;
    return this.refuse("MODERATION_URL", "must be set where MODERATION_SECRET is.", null);
  }

  /** An address of its own for messages, and what signs them: one without the other is of no use. */
  webhook(urlName: string, secretName: string): { readonly url: string; readonly secret: string } | null {
    const text = this.text(urlName);
    const secret = this.secret(secretName);
    if (text === undefined) {
      return secret === null ? null : this.refuse(urlName, `must be set where ${secretName} is.`, null);
    }
    const url = this.#address(urlName);
    if (url === null) return null;
    // No text of the secret in the line: it says only what is needed.
    if (secret !== null) return { url, secret };
    return this.refused.has(secretName)
      ? null
      : this.refuse(
          secretName,
          `must be set where ${urlName} is (or ${secretName}_FILE): it signs what is sent.`,
          null,
        );
  }

  /** Where something is sent to that nobody else may read. */
  #address(name: string): string | null {
    const text = this.text(name);
    if (text === undefined) return null;
    const url = URL.parse(text);
    const isPlain = url?.protocol === "http:" && !isLoopbackHost(url.hostname);
    if (url !== null && /^https?:$/.test(url.protocol) && !isPlain && url.username === "" && url.password === "")
      return url.href;
    return this.refuse(name, "must be an https address, or http on loopback, without a user.", null);
  }

  /** The value of NAME, or the content of the file that NAME_FILE names. */
  secret(name: string): string | null {
    const value = this.text(name);
    const file = this.text(`${name}_FILE`);
    if (value !== undefined && file !== undefined) {
      return this.refuse(name, `is set twice: keep either ${name} or ${name}_FILE.`, null);
    }
    if (file === undefined) return value === undefined ? null : this.#checkSecret(name, name, value);
    this.fromFiles.push(name);
    const isKey = name.endsWith("_KEY") && !name.startsWith("AWS_");
    if (isKey || opensUs.has(name)) this.secretFiles.push(resolve(repositoryRoot, file));
    try {
      const content = readFileSync(resolve(repositoryRoot, file), "utf8").trim();
      if ((statSync(resolve(repositoryRoot, file)).mode & 0o004) !== 0) this.openFiles.push(`${name}_FILE`);
      return content === ""
        ? this.refuse(name, "names an empty file.", null, `${name}_FILE`)
        : this.#checkSecret(name, `${name}_FILE`, content);
    } catch (error) {
      const reason = (error as NodeJS.ErrnoException).code ?? "unreadable";
      return this.refuse(name, `cannot be read (${reason}).`, null, `${name}_FILE`);
    }
  }

  #checkSecret(name: string, variable: string, value: string): string | null {
    if (name === "ENCRYPTION_KEY" && parseEncryptionKeys(value) === null) {
      return this.refuse(name, "must be 32 random bytes in base64 or hex (openssl rand -base64 32).", null, variable);
    }
    if (name === "METRICS_TOKEN" && value.length < 16) {
      return this.refuse(
        name,
        "must be at least 16 characters: it opens the metrics to whoever guesses it.",
        null,
        variable,
      );
    }
    if (name === "SESSION_SECRET" && !value.split(",").every(isSessionSecret)) {
      return this.refuse(
        name,
        "must be 32 random characters or more of base64 or hex (openssl rand -base64 32).",
        null,
        variable,
      );
    }
    // As Standard Webhooks asks for; a short one could be guessed from a single message.
    if (name === "WEBHOOK_SECRET" && webhookSecretBytes(value) < 24) {
      return this.refuse(name, "must be at least 24 bytes, or whsec_ and as many in base64.", null, variable);
    }
    if (name === "MODERATION_SECRET" && !/^[\x21-\x7e]{8,}$/.test(value)) {
      return this.refuse(name, "must be 8 or more printable ASCII characters without spaces.", null, variable);
    }
    // A key travels in a header: anything beyond printable ASCII could never be sent back by a client.
    if ((name.endsWith("_KEY") || name === "METRICS_TOKEN") && !/^[\x21-\x7e]+$/.test(value)) {
      return this.refuse(name, "must consist of printable ASCII characters without spaces.", null, variable);
    }
    return value;
  }

  refuse<Value>(name: string, problem: string, value: Value, variable = name): Value {
    this.problems.push(`${variable}: ${problem}`);
    this.refused.add(name);
    return value;
  }
}
