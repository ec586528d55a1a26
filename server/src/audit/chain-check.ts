/** Walks rows and checkpoints, wherever they come from, and finds the first that does not hold. Knows no database and no file. */
import type { AuditCheckpoint, AuditVerification, BrokenRowCode } from "@safelight/contract";
import { genesis, hashOf } from "./canonical.ts";
import { type BrokenCheckpoint, judgeCheckpoint } from "./checkpoint.ts";
import type { PublicKeys } from "./keys.ts";

/** One row as far as the chain is concerned. */
export interface ChainRow {
  readonly id: number;
  readonly previousHash: string | null;
  readonly hash: string | null;
  /** What the hash is made of. */
  readonly encoded: string | Uint8Array;
}

export type BrokenRow = NonNullable<AuditVerification["first_broken"]>;

/** Where the chain ends, as the database or the file says. */
export interface ChainEnd {
  readonly id: number;
  readonly hash: string;
  /** Rows that there ever were. */
  readonly rows: number;
  /** The last checkpoint's sequence. */
  readonly checkpoint: number;
}

type Mark = Pick<AuditCheckpoint, "sequence" | "last_id" | "hash" | "rows">;

/** First every checkpoint is handed in, then every row, both in order, then the end. */
export class ChainCheck {
  readonly #keys: PublicKeys;
  #marks: Mark[] = [];
  #nextMark = 0;
  #lastCheckpoint: AuditCheckpoint | null = null;
  #brokenCheckpoint: BrokenCheckpoint | null = null;
  #checkpoints = 0;
  #pruned: AuditCheckpoint | null = null;
  #end: Pick<ChainEnd, "id" | "hash" | "rows"> = { id: 0, hash: genesis, rows: 0 };
  #firstId: number | null = null;
  #checked = 0;
  #brokenRow: BrokenRow | null = null;

  constructor(keys: PublicKeys) {
    this.#keys = keys;
  }

  get brokenCheckpoint(): BrokenCheckpoint | null {
    return this.#brokenCheckpoint;
  }

  get brokenRow(): BrokenRow | null {
    return this.#brokenRow;
  }

  /** The last row that holds; id 0 before the first. */
  get end(): Pick<ChainEnd, "id" | "hash" | "rows"> {
    return this.#end;
  }

  get lastCheckpoint(): AuditCheckpoint | null {
    return this.#lastCheckpoint;
  }

  addCheckpoint(checkpoint: AuditCheckpoint): void {
    const broken = this.#brokenCheckpoint ?? judgeCheckpoint(checkpoint, this.#lastCheckpoint, this.#keys);
    this.#brokenCheckpoint = broken;
    // After one that is broken nothing can be said of the others: they bind nothing.
    if (broken !== null) return;
    this.#checkpoints += 1;
    this.#lastCheckpoint = checkpoint;
    if (checkpoint.kind === "prune") this.#beginAfter(checkpoint);
    else this.#marks.push(checkpoint);
  }

  /** One that was written while rows were walked: it names the row that was walked last, or one that is still to come. */
  addLateCheckpoint(checkpoint: AuditCheckpoint): void {
    this.addCheckpoint(checkpoint);
    this.#brokenRow ??= this.#compareWithMarks();
  }

  /** False once a row is broken: what follows it says nothing. */
  addRow(row: ChainRow): boolean {
    if (this.#brokenRow !== null) return false;
    this.#brokenRow = this.#judge(row);
    if (this.#brokenRow !== null) return false;
    this.#firstId ??= row.id;
    this.#checked += 1;
    this.#end = { id: row.id, hash: String(row.hash), rows: this.#end.rows + 1 };
    this.#brokenRow = this.#compareWithMarks();
    return this.#brokenRow === null;
  }

  /** Compares what was walked with where the chain is said to end. */
  finish(end: ChainEnd): void {
    const { id, hash, rows } = this.#end;
    this.#brokenRow ??= this.#missingMark(Number.POSITIVE_INFINITY);
    if (this.#brokenRow === null && (id !== end.id || hash !== end.hash || rows !== end.rows)) {
      this.#brokenRow =
        id > end.id
          ? broken(end.id + 1, "surplus", `The log should end with row ${end.id}; what follows was put there.`)
          : broken(id + 1, "missing", `The log ends with row ${id} instead of ${end.id}.`);
    }
    const last = this.#lastCheckpoint?.sequence ?? 0;
    if (this.#brokenCheckpoint === null && last !== end.checkpoint) {
      const sequence = Math.min(last, end.checkpoint) + 1;
      const detail = `The checkpoints should end with ${end.checkpoint} and end with ${last}.`;
      this.#brokenCheckpoint = { sequence, code: "missing", detail };
    }
  }

  /** What came of it, less what only the caller knows. */
  result(): Omit<AuditVerification, "public_keys" | "cannot_show"> {
    const { id, hash, rows } = this.#end;
    const pruned = this.#pruned;
    return {
      intact: this.#brokenRow === null && this.#brokenCheckpoint === null,
      checked: this.#checked,
      first_id: this.#firstId,
      last_id: this.#checked === 0 ? null : id,
      hash: this.#checked === 0 ? null : hash,
      first_broken: this.#brokenRow,
      checkpoints: {
        checked: this.#checkpoints,
        first_broken: this.#brokenCheckpoint,
        last: this.#lastCheckpoint,
        rows_after_last: Math.max(0, rows - this.#rowsSigned()),
      },
      pruned: pruned && { rows: pruned.rows, last_id: pruned.last_id, at: pruned.created_at },
    };
  }

  /** The rows up to there are gone. Marks among them can no longer be compared with rows, only with one another. */
  #beginAfter(pruned: AuditCheckpoint): void {
    const { sequence, last_id: lastId, hash, rows } = pruned;
    const other = this.#marks.find((mark) => mark.last_id === lastId && mark.hash !== hash);
    if (other !== undefined) {
      const detail = `Checkpoints ${other.sequence} and ${sequence} disagree on row ${lastId}.`;
      this.#brokenCheckpoint = { sequence, code: "not_linked", detail };
    }
    this.#pruned = pruned;
    this.#end = { id: lastId, hash, rows };
    this.#marks = this.#marks.filter((mark) => mark.last_id > lastId);
  }

  #rowsSigned(): number {
    return Math.max(this.#marks.at(-1)?.rows ?? 0, this.#pruned?.rows ?? 0);
  }

  #judge({ id, previousHash, hash, encoded }: ChainRow): BrokenRow | null {
    const { id: before, hash: expected } = this.#end;
    if (id <= before) return broken(id, "out_of_order", `Row ${id} does not come after row ${before}.`);
    const missing = this.#missingMark(id);
    if (missing !== null) return missing;
    if (hash === null) return broken(id, "unchained", `Row ${id} has no hash: it was not written by this server.`);
    if (hashOf(encoded) !== hash) return broken(id, "changed", `Row ${id} is not what its hash was made of.`);
    if (previousHash === expected) return null;
    const detail =
      before === 0
        ? `Row ${id} is not the first that was written: rows before it are gone.`
        : `Row ${id} does not follow row ${before}: one of them was changed, or a row between them added, removed or moved.`;
    return broken(id, "not_linked", detail);
  }

  /** A row that a checkpoint names and that was passed over. */
  #missingMark(id: number): BrokenRow | null {
    const mark = this.#marks[this.#nextMark];
    if (mark === undefined || mark.last_id >= id) return null;
    return broken(
      mark.last_id,
      "missing",
      `Row ${mark.last_id}, which checkpoint ${mark.sequence} names, is not there.`,
    );
  }

  #compareWithMarks(): BrokenRow | null {
    const { id, hash, rows } = this.#end;
    for (let mark = this.#marks[this.#nextMark]; mark?.last_id === id; mark = this.#marks[this.#nextMark]) {
      if (mark.hash !== hash || mark.rows !== rows) {
        return broken(
          id,
          "not_as_signed",
          `The log up to row ${id} is not what checkpoint ${mark.sequence} has signed.`,
        );
      }
      this.#nextMark += 1;
    }
    return null;
  }
}

function broken(id: number, code: BrokenRowCode, detail: string): BrokenRow {
  return { id, code, detail };
}
