import { DatabaseError } from "pg";

/** The server or the way to it is at fault, not the statement. Its text may name hosts and stays in the log. */
export class StorageFault extends Error {
  // As a broken disk says it: a fault of the storage like others.
  readonly code = "EIO";
  /** The connection cannot be used any more. */
  readonly breaks: boolean;

  constructor(message: string, { cause, breaks }: { cause?: unknown; breaks: boolean }) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "StorageFault";
    this.breaks = breaks;
  }
}

/** The answer to a COMMIT was lost: the change may be there. */
export class LostCommit extends StorageFault {
  constructor(cause: unknown) {
    super("the answer to a commit was lost", { cause, breaks: true });
    this.name = "LostCommit";
  }
}

/** A statement that is kept on this connection no longer fits the tables: another release has added to them. Nothing was done. */
export class StalePlan extends StorageFault {
  constructor(cause: unknown) {
    super("a statement was kept for longer than its tables stayed as they were", { cause, breaks: true });
    this.name = "StalePlan";
  }
}

/** The database is known not to be well; nothing was tried. */
export class UnusableDatabase extends StorageFault {
  constructor() {
    super("the database cannot be relied on", { breaks: false });
    this.name = "UnusableDatabase";
  }
}

// Classes of SQLSTATE: connection, authorisation, wrong database, resources at their end, stopped by the operator or a time limit,
// input and output, damaged.
const faultyClasses = new Set(["08", "28", "3D", "53", "57", "58", "XX"]);
// A read-only server; a lock or a turn that did not come in time; a deadlock and its like.
const faultyStates = new Set(["25006", "25P03", "55P03", "40001", "40P01"]);
// The server has ended the connection with these.
const ending = new Set(["57P01", "57P02", "57P03", "57P05", "25P03"]);
// A column was added while statements were kept; on a new connection they are prepared anew.
const stalePlan = "0A000";

/**
 * What a failed call is to the caller: a StorageFault, or the error itself when the statement is to blame. `readsOnly` where writing is
 * refused to everybody.
 */
export function toFault(error: unknown, readsOnly = false): unknown {
  if (error instanceof StorageFault || error instanceof TypeError || error instanceof RangeError) return error;
  if (error instanceof DatabaseError) hideValues(error);
  const state = sqlStateOf(error);
  if (state === null) return new StorageFault("the connection to the database failed", { cause: error, breaks: true });
  if (readsOnly && state === "25006") return error;
  if (state === stalePlan && String((error as Error).message).includes("cached plan")) return new StalePlan(error);
  if (!faultyClasses.has(state.slice(0, 2)) && !faultyStates.has(state)) return error;
  const breaks = ending.has(state) || state.startsWith("08");
  return new StorageFault(`the database refused (${state})`, { cause: error, breaks });
}

/** What the server adds to an error repeats rows: prompts, hashes, sealed credentials. Messages about a value that has the wrong form quote it. */
function hideValues(error: DatabaseError): void {
  error.detail = undefined;
  error.where = undefined;
  error.internalQuery = undefined;
  if (error.code?.startsWith("22") !== true) return;
  const { message } = error;
  error.message = `a value does not have the form or the size that the database needs (${error.code})`;
  if (error.stack !== undefined) error.stack = error.stack.replace(message, error.message);
}

/** The SQLSTATE of what the server said, or null when it was not the server that spoke. */
export function sqlStateOf(error: unknown): string | null {
  return error instanceof DatabaseError && error.code !== undefined ? error.code : null;
}

/** Whether the whole database may be unwell after this, and is worth a look. */
export function isWorrying(error: unknown): boolean {
  if (!(error instanceof StorageFault)) return false;
  const state = sqlStateOf(error.cause);
  if (state === null) return error.breaks;
  return !["40001", "40P01", "55P03", "57014", stalePlan].includes(state);
}
