import { type Stats, statSync } from "node:fs";

/**
 * Whether the database is still the file that was opened. SQLite goes on happily on a file that has been deleted or moved away, on pages
 * in its memory while those on the disk are overwritten, and beside a write-ahead log that is gone; whatever it acknowledged then would
 * be lost with the process. Two calls of the system tell.
 */
export class FileWatch {
  readonly #file: string;
  #main = "";
  #log = "";

  constructor(file: string) {
    this.#file = file;
    this.remember();
  }

  /** Takes what lies there now for ours; after every commit, which may have changed the file. */
  remember(): void {
    this.#main = stampOf(this.#file);
    this.#log = identityOf(`${this.#file}-wal`);
  }

  /** Nobody but us has changed, exchanged, moved or removed it, nor its log. */
  isUntouched(): boolean {
    return this.isSameContent() && this.isSameLog();
  }

  /** The file itself is as we left it. */
  isSameContent(): boolean {
    return this.#main !== "" && stampOf(this.#file) === this.#main;
  }

  /** What lies there is the file that was opened, changed or not. */
  isSameFile(): boolean {
    return this.#main !== "" && identityOf(this.#file) === this.#main.split(" ", 2).join(" ");
  }

  /** Its write-ahead log is the one that was opened. */
  isSameLog(): boolean {
    return identityOf(`${this.#file}-wal`) === this.#log;
  }
}

function stampOf(path: string): string {
  const found = look(path);
  return found === undefined ? "" : `${found.dev} ${found.ino} ${found.size} ${found.mtimeMs}`;
}

function identityOf(path: string): string {
  const found = look(path);
  return found === undefined ? "" : `${found.dev} ${found.ino}`;
}

function look(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    // Its folder is gone, closed to us, or no folder any more.
    return undefined;
  }
}
