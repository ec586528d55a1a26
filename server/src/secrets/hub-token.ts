/**
 * Whether the token that fetches model weights can do more than read. The hub is asked what it knows of the token (`whoami-v2`); what it
 * does not say is not taken for granted.
 */

export interface HubTokenVerdict {
  /** `unknown`: the hub could not be asked, or said nothing of the token's rights. */
  readonly state: "ok" | "can_write" | "invalid" | "unknown";
  /** One sentence in English. */
  readonly detail: string;
  /** Rights beyond reading, as the hub names them. */
  readonly excess: readonly string[];
}

const usualEndpoint = "https://huggingface.co";
/** Milliseconds for the answer. */
const patience = 15_000;

/** Never throws; the token stands in no text that comes back. */
export async function judgeHubToken(token: string, endpoint = usualEndpoint): Promise<HubTokenVerdict> {
  const base = URL.parse(endpoint || usualEndpoint);
  const isLocal = base !== null && ["127.0.0.1", "localhost", "[::1]"].includes(base.hostname);
  if (base === null || (base.protocol !== "https:" && !isLocal)) {
    return verdict("unknown", "HF_ENDPOINT must be an https address: the token would travel in the open.");
  }
  try {
    const answer = await fetch(new URL("/api/whoami-v2", base), {
      headers: { authorization: `Bearer ${token}`, accept: "application/json" },
      redirect: "error",
      signal: AbortSignal.timeout(patience),
    });
    if (answer.status === 401) return verdict("invalid", "The hub does not know this token.");
    if (!answer.ok) return verdict("unknown", `The hub answers ${answer.status}.`);
    return judgeWhoami(JSON.parse((await answer.text()).slice(0, 1_000_000)));
  } catch {
    return verdict("unknown", "The hub could not be asked.");
  }
}

/** Judges the documented answer of `whoami-v2`. */
export function judgeWhoami(answer: unknown): HubTokenVerdict {
  const token = fieldOf(fieldOf(answer, "auth"), "accessToken");
  const role = fieldOf(token, "role");
  if (role === "read") {
    return verdict(
      "ok",
      "The token can only read, but everything its owner can; one for the needed models alone is better.",
    );
  }
  if (role === "write") return verdict("can_write", "The token can write. Make one that can only read.", ["write"]);
  if (role !== "fineGrained") return verdict("unknown", "The hub does not say what the token may do.");
  const rights = rightsOf(fieldOf(token, "fineGrained"));
  if (rights === null) return verdict("unknown", "The hub does not say what the token may do.");
  const excess = rights.filter((right) => !isReading(right));
  return excess.length === 0
    ? verdict("ok", "The token can only read what it names.")
    : verdict("can_write", "The token can do more than read. Make one that can only read.", [...new Set(excess)]);
}

/** Everything that a fine-grained token names; null where the answer has another form. */
function rightsOf(fineGrained: unknown): string[] | null {
  const scoped = fieldOf(fineGrained, "scoped");
  const global = fieldOf(fineGrained, "global") ?? [];
  if (!Array.isArray(scoped) || !Array.isArray(global)) return null;
  const permissions: unknown[] = scoped.flatMap((one: unknown) => {
    const some = fieldOf(one, "permissions");
    return Array.isArray(some) ? (some as unknown[]) : [null];
  });
  const all = [...(global as unknown[]), ...permissions];
  return all.every((right) => typeof right === "string") ? (all as string[]) : null;
}

/** Only what says that it reads counts as reading: rights that come later are not taken for harmless. */
function isReading(right: string): boolean {
  return /(?:^|\.)read$/.test(right);
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function verdict(state: HubTokenVerdict["state"], detail: string, excess: readonly string[] = []): HubTokenVerdict {
  return { state, detail, excess };
}
