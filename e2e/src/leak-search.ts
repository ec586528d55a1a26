// Looks for what must not be there: secrets and prompts in files, texts and process lists, in every form in which they could stand there.
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

/** Something that must not be found, by a name that may be told. */
export interface Marked {
  readonly name: string;
  readonly value: string | Uint8Array;
}

export interface Leak {
  readonly name: string;
  /** plain, json, url, base64 or hex. */
  readonly form: string;
  readonly where: string;
}

type Needle = readonly [name: string, form: string, bytes: Buffer];

/** Every form of every marked value, ready to be looked for. */
export class LeakSearch {
  readonly #needles: readonly Needle[];

  constructor(marked: readonly Marked[]) {
    this.#needles = marked.flatMap(({ name, value }) =>
      formsOf(value).map(([form, bytes]): Needle => [name, form, bytes]),
    );
  }

  inText(text: string, where: string): Leak[] {
    return this.inBytes(Buffer.from(text), where);
  }

  inBytes(bytes: Buffer, where: string): Leak[] {
    return this.#needles
      .filter(([, , needle]) => bytes.includes(needle))
      .map(([name, form]) => ({ name, form, where }));
  }

  /** Every file below a folder, as it lies on the disk: free pages and logs of a database too. */
  inFolder(folder: string, isLeftOut: (path: string) => boolean = () => false): Leak[] {
    const names = readdirSync(folder, { recursive: true, withFileTypes: true });
    return names.flatMap((entry) => {
      const path = join(entry.parentPath, entry.name);
      const below = path.slice(folder.length + 1);
      const named = this.inText(below, `the name of ${below}`);
      if (!entry.isFile() || isLeftOut(below)) return named;
      return [...named, ...this.inBytes(readOrEmpty(path), below)];
    });
  }

  /** Arguments and environment of a process and all below it. Those that have ended meanwhile are passed over. */
  inProcesses(root: number, isAllowed: (process: string, name: string) => boolean = () => false): Leak[] {
    return [root, ...descendantsOf(root)].flatMap((pid) => {
      const command = readOrEmpty(`/proc/${pid}/cmdline`);
      const short = command.toString().replaceAll("\0", " ").slice(0, 80);
      const environment = readOrEmpty(`/proc/${pid}/environ`);
      return [
        ...this.inBytes(command, `arguments of ${short}`),
        ...this.inBytes(environment, `environment of ${short}`).filter(({ name }) => !isAllowed(short, name)),
      ];
    });
  }
}

function formsOf(value: string | Uint8Array): [string, Buffer][] {
  const plain = Buffer.from(value as Uint8Array);
  const text = typeof value === "string" ? value : null;
  const forms: [string, Buffer][] = [
    ["plain", plain],
    ["hex", Buffer.from(plain.toString("hex"))],
    ["hex", Buffer.from(plain.toString("hex").toUpperCase())],
    ...base64FormsOf(plain),
  ];
  if (text !== null) {
    forms.push(["json", Buffer.from(JSON.stringify(text).slice(1, -1))]);
    forms.push(["json", Buffer.from(asciiJson(text))]);
    forms.push(["url", Buffer.from(encodeURIComponent(text))]);
    forms.push(["url", Buffer.from(new URLSearchParams([["x", text]]).toString().slice(2))]);
  }
  // One that is written the same in two ways is found once.
  return [...new Map(forms.toReversed().map((form) => [form[1].toString("latin1"), form])).values()].toReversed();
}

/** Wherever it stands in what was encoded: at each of three places the middle of its code is the same. */
function base64FormsOf(plain: Buffer): [string, Buffer][] {
  return [0, 1, 2].flatMap((before): [string, Buffer][] => {
    const code = Buffer.concat([Buffer.alloc(before), plain])
      .toString("base64")
      .replace(/=+$/, "");
    // The first and the last sign also hold bits of what stands beside.
    const middle = code.slice(before === 0 ? 0 : before + 1, -1);
    const alphabets = [middle, middle.replaceAll("+", "-").replaceAll("/", "_")];
    return alphabets.map((form) => ["base64", Buffer.from(form)]);
  });
}

function asciiJson(text: string): string {
  const escaped = JSON.stringify(text).slice(1, -1);
  return escaped.replaceAll(/[\u0080-\uffff]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function descendantsOf(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    const stat = /^\d+$/.test(name) ? readOrEmpty(`/proc/${name}/stat`).toString() : "";
    const parent = Number(stat.slice(stat.lastIndexOf(")") + 1).split(" ")[2]);
    if (parent > 0) children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
  }
  const found: number[] = [];
  for (const queue = [root]; queue.length > 0; ) {
    const below = children.get(queue.shift() ?? 0) ?? [];
    found.push(...below);
    queue.push(...below);
  }
  return found;
}

/** What is read while others write and remove: a file that is gone holds nothing. */
function readOrEmpty(path: string): Buffer {
  try {
    return path.startsWith("/proc/") || statSync(path).isFile() ? readFileSync(path) : Buffer.alloc(0);
  } catch {
    return Buffer.alloc(0);
  }
}

/** Whether this system shows processes as files. */
export function showsProcesses(): boolean {
  try {
    return readlinkSync("/proc/self") !== "";
  } catch {
    return false;
  }
}

/** Shorter ones are words that anybody may say. */
const shortestPrompt = 12;

/**
 * What an installation that a test leaves behind says of its own secrets and prompts: the secrets lie in its `secrets` folder and may
 * stand nowhere else in it or in the folder around it, the prompts lie in its database and may stand in nothing that it printed.
 */
export function searchInstallation(folder: string, printed: string, around = folder): Leak[] {
  const kept = join(folder, "secrets");
  const secrets = readdirOrEmpty(kept).map((name) => ({
    name,
    value: readOrEmpty(join(kept, name)).toString().trim(),
  }));
  const search = new LeakSearch(secrets.filter(({ value }) => value.length >= 16));
  const prompts = promptsIn(join(folder, "safelight.sqlite")).map((value) => ({ name: `prompt ${value}`, value }));
  const own = /^(?:secrets\/|.*\/secrets\/)/;
  return [
    ...search.inText(printed, "the log"),
    ...new LeakSearch(prompts).inText(printed, "the log"),
    ...search.inFolder(around, (path) => own.test(path)),
  ];
}

function promptsIn(file: string): string[] {
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file, { readOnly: true });
    const rows = database
      .prepare("SELECT DISTINCT prompt FROM tasks WHERE length(prompt) >= ? LIMIT 5000")
      .all(shortestPrompt);
    return rows.map(({ prompt }) => String(prompt));
  } catch {
    // A folder without a database, or one that a test has damaged.
    return [];
  } finally {
    database?.close();
  }
}

function readdirOrEmpty(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
