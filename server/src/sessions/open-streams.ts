import type { Log } from "../log.ts";
import type { Credential } from "./credential.ts";

/** How often the credentials of open streams are looked at again; well under the five seconds that are promised. */
const checkInterval = 2000;

/** Why a stream is closed: its credential counts no more, or it cannot be told whether it still does. */
export type WhyClosed = "ended" | "unknown";

interface OpenStream {
  readonly credential: Credential;
  readonly close: (why: WhyClosed) => void;
}

/**
 * Event streams and downloads outlive the moment their credential was checked. They are listed here, and closed as soon as the
 * credential is revoked or has expired: at once when this process revokes it, otherwise at the next look.
 */
export class OpenStreams {
  readonly #isValid: (credential: Credential) => Promise<boolean>;
  readonly #log: Log;
  /** Where it is false no credential can be checked, and all streams end. */
  onlyWhile: () => boolean = () => true;
  readonly #streams = new Set<OpenStream>();
  #timer: NodeJS.Timeout | undefined;
  #checking = false;
  #isDue = false;

  constructor(isValid: (credential: Credential) => Promise<boolean>, log: Log) {
    this.#isValid = isValid;
    this.#log = log;
  }

  /** Number of streams now open. */
  get size(): number {
    return this.#streams.size;
  }

  /** Calls `close` once when the credential ends or cannot be checked. The returned function takes the stream off the list. */
  track(credential: Credential, close: (why: WhyClosed) => void): () => void {
    const stream = { credential, close };
    this.#streams.add(stream);
    this.#timer ??= setInterval(() => void this.check(), checkInterval).unref();
    return () => this.#forget(stream);
  }

  /** Closes everything that was opened with this credential. */
  closeAllOf(credentialId: string): void {
    for (const stream of this.#streams) if (stream.credential.id === credentialId) this.#end(stream, "ended");
  }

  /** Closes everything; the server stops. */
  closeAll(): void {
    for (const stream of this.#streams) this.#end(stream, "ended");
  }

  /** Looks at every credential once, however many streams it has. */
  async check(): Promise<void> {
    this.#isDue = true;
    if (this.#checking) return;
    this.#checking = true;
    try {
      // What changed while it was looked has to be looked at again.
      while (this.#isDue) {
        this.#isDue = false;
        await this.#checkOnce();
      }
    } finally {
      this.#checking = false;
    }
  }

  async #checkOnce(): Promise<void> {
    const credentials = new Map([...this.#streams].map(({ credential }) => [nameOf(credential), credential]));
    for (const [name, credential] of credentials) {
      const why = await this.#whyClosed(credential);
      if (why === null) continue;
      for (const stream of this.#streams) if (nameOf(stream.credential) === name) this.#end(stream, why);
    }
  }

  /** Null while it counts. What cannot be checked is closed as well (FR-023). */
  async #whyClosed(credential: Credential): Promise<WhyClosed | null> {
    try {
      if (!this.onlyWhile()) return "unknown";
      return (await this.#isValid(credential)) ? null : "ended";
    } catch (error) {
      this.#log.warn("streams are closed because their session cannot be checked", { error });
      return "unknown";
    }
  }

  #end(stream: OpenStream, why: WhyClosed): void {
    this.#forget(stream);
    stream.close(why);
  }

  #forget(stream: OpenStream): void {
    this.#streams.delete(stream);
    if (this.#streams.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}

/** One credential, and of a key that has several values one of them. */
function nameOf({ id, proof = "" }: Credential): string {
  return `${id} ${proof}`;
}
