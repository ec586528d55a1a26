/** What a command prints, made fit to be kept and shown: whole lines without secrets, colours and control characters. */
import { StringDecoder } from "node:string_decoder";
import { stripVTControlCharacters } from "node:util";

const removed = "[redacted]";
/** Characters of one line. */
const longestLine = 1000;
// Ids and secrets of Modal tokens, whoever's they are.
const tokenPattern = /\b(?:ak|as|wk|ws)-[A-Za-z0-9]{8,}/g;

/** Strikes out secrets by value and tokens by their form; `folders` are private and become a dot. */
export class Redactor {
  readonly #secrets: readonly string[];
  readonly #folders: readonly string[];

  constructor(secrets: readonly string[], folders: readonly string[] = []) {
    const byLength = (a: string, b: string): number => b.length - a.length;
    // The longer one first: a secret that begins like another must not leave its end behind.
    this.#secrets = secrets.filter((secret) => secret !== "").toSorted(byLength);
    this.#folders = folders.toSorted(byLength);
  }

  clean(text: string): string {
    let result = withoutControls(text);
    for (const secret of this.#secrets) result = result.replaceAll(secret, removed);
    for (const folder of this.#folders) result = result.replaceAll(folder, ".");
    return result.replace(tokenPattern, removed);
  }
}

/** Turns chunks of bytes into lines. A carriage return ends a line too: that is how progress is drawn. */
export class LineReader {
  readonly #redactor: Redactor;
  readonly #onLine: (line: string) => void;
  readonly #decoder = new StringDecoder("utf8");
  #rest = "";
  #dropping = false;

  constructor(redactor: Redactor, onLine: (line: string) => void) {
    this.#redactor = redactor;
    this.#onLine = onLine;
  }

  write(chunk: Buffer): void {
    this.#take(this.#decoder.write(chunk));
  }

  end(): void {
    this.#take(this.#decoder.end());
    if (this.#rest !== "") this.#take("\n");
  }

  #take(text: string): void {
    const parts = (this.#rest + text).split(/[\r\n]/);
    this.#rest = parts.pop() ?? "";
    for (const part of parts) this.#line(part);
    // A line without an end must not fill the memory. What is held still has every secret that begins in the part that is shown whole.
    const most = 64 * 1024;
    if (this.#rest.length <= most) return;
    if (!this.#dropping) this.#emit(this.#rest);
    this.#dropping = true;
    this.#rest = "";
  }

  #line(text: string): void {
    if (this.#dropping) this.#dropping = false;
    else this.#emit(text);
  }

  #emit(text: string): void {
    const clean = this.#redactor.clean(text).trimEnd();
    if (clean === "") return;
    this.#onLine(clean.length > longestLine ? `${clean.slice(0, longestLine)} …` : clean);
  }
}

function withoutControls(text: string): string {
  return stripVTControlCharacters(text).replace(/[\p{Cc}\p{Zl}\p{Zp}]/gu, (one) => (one === "\t" ? one : ""));
}
