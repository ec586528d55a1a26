import { type ErrorCode, errorCodes, type StorageProblem } from "@safelight/contract";

/** One field of a refused request. `field` is a path such as `arbitrary_frames[1].frame_index`. */
export interface FieldError {
  readonly field: string;
  readonly code: string;
  readonly message: string;
}

export interface ErrorExtras {
  readonly fields?: readonly FieldError[];
  /** Seconds after which the caller may try again; becomes the Retry-After header. */
  readonly retryAfter?: number;
  /** Further answer headers, such as `allow` or `content-range`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Where there is too little room: the numbers. */
  readonly storage?: StorageProblem;
  readonly cause?: unknown;
}

/**
 * The one error of the server: a code of the contract and a text that a caller may read.
 * Everything that is thrown and is not a SafelightError is a bug or a broken machine, and its text never leaves the house.
 */
export class SafelightError extends Error {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly fields: readonly FieldError[] | undefined;
  readonly retryAfter: number | undefined;
  readonly headers: Readonly<Record<string, string>> | undefined;
  readonly storage: StorageProblem | undefined;

  constructor(code: ErrorCode, detail: string, extras: ErrorExtras = {}) {
    super(detail, extras.cause === undefined ? undefined : { cause: extras.cause });
    this.name = "SafelightError";
    this.code = code;
    this.detail = detail;
    this.fields = extras.fields;
    this.retryAfter = extras.retryAfter;
    this.headers = extras.headers;
    this.storage = extras.storage;
  }

  /** HTTP status that the contract gives this code. */
  get status(): number {
    return errorCodes[this.code].status;
  }
}

/** The server cannot start. Each problem is one line for the person at the terminal; it names the setting, never its value. */
export class StartupError extends Error {
  readonly problems: readonly string[];

  constructor(problems: string | readonly string[], cause?: unknown) {
    const lines = typeof problems === "string" ? [problems] : problems;
    super(lines.join("\n"), cause === undefined ? undefined : { cause });
    this.name = "StartupError";
    this.problems = lines;
  }
}

// A disk that is full, broken, read-only or over its quota. EMFILE and ENFILE pass too: the machine is at its end, not the caller.
const storageErrnos = new Set([
  "ENOSPC",
  "EIO",
  "EROFS",
  "EDQUOT",
  "EACCES",
  "EPERM",
  "EMFILE",
  "ENFILE",
  "ENODEV",
  "ESTALE",
]);

// Primary SQLite result codes: READONLY, IOERR, CORRUPT, FULL, CANTOPEN, PROTOCOL, NOTADB; BUSY and LOCKED mean another process holds it.
const storageResultCodes = new Set([5, 6, 8, 10, 11, 13, 14, 15, 26]);

/** True when the error says that the disk or the database file, not the request, is at fault. */
export function isStorageFailure(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  if (typeof code === "string" && storageErrnos.has(code)) return true;
  return code === "ERR_SQLITE_ERROR" && typeof errcode === "number" && storageResultCodes.has(errcode & 0xff);
}

/** Turns anything thrown into the error a caller sees; unknown ones become `internal` with a text that says nothing. */
export function toSafelightError(error: unknown): SafelightError {
  if (error instanceof SafelightError) return error;
  if (isStorageFailure(error)) {
    return new SafelightError("storage_unavailable", "The server cannot write to its storage at the moment.", {
      cause: error,
    });
  }
  return new SafelightError("internal", "Something went wrong on the server.", { cause: error });
}
