/** Checks an exported log without a server. It trusts nothing that the file says of itself, but says what it had to believe. */

import type { KeyObject } from "node:crypto";
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline/promises";
import type { AuditCheckpoint, AuditVerification } from "@safelight/contract";
import { AuditCheckpoint as CheckpointSchema } from "@safelight/contract";
import { encodeRow, type RowFields, rowColumns } from "./canonical.ts";
import { ChainCheck, type ChainRow } from "./chain-check.ts";
import { isSigned } from "./checkpoint.ts";
import { exportFormat, exportVersion } from "./export.ts";
import { keyIdOf, parsePublicKey } from "./keys.ts";
import { isSameCheckpoint, whatCannotBeShown } from "./verify.ts";

/** The file is not an export, or not one of this version. */
export class NotAnExport extends Error {
  override name = "NotAnExport";
}

export interface ExportVerification extends Omit<AuditVerification, "public_keys"> {
  /** False where the file's own public keys had to be believed. */
  readonly keys_given: boolean;
  readonly key_ids: readonly string[];
  /** What came of each checkpoint that was kept elsewhere. */
  readonly kept: readonly { readonly sequence: number; readonly holds: boolean; readonly detail: string }[];
}

export interface KnownElsewhere {
  /** Keys that were kept elsewhere; without any those of the file are believed. */
  readonly publicKeys?: readonly KeyObject[];
  /** Checkpoints that were kept elsewhere. */
  readonly checkpoints?: readonly AuditCheckpoint[];
}

type Line = Record<string, unknown> & { readonly type?: unknown };

/** Reads the file once, line by line. Errors: NotAnExport; those of the file system. */
export async function verifyExport(file: string, known: KnownElsewhere = {}): Promise<ExportVerification> {
  const lines = createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY });
  let reading: ExportReading | null = null;
  for await (const text of lines) {
    const line = parseLine(text);
    if (reading === null) reading = new ExportReading(readHeader(line), known);
    else reading.add(line);
  }
  if (reading === null) throw new NotAnExport("The file is empty.");
  return reading.result();
}

class ExportReading {
  readonly #check: ChainCheck;
  readonly #keys: ReadonlyMap<string, KeyObject>;
  readonly #known: KnownElsewhere;
  /** Of the checkpoints kept elsewhere: what the file has under the same sequence. */
  readonly #found = new Map<number, AuditCheckpoint>();
  #ended = false;
  #hasRows = false;
  #surplus = false;

  constructor(keys: ReadonlyMap<string, KeyObject>, known: KnownElsewhere) {
    this.#known = known;
    const given = known.publicKeys ?? [];
    this.#keys = given.length === 0 ? keys : new Map(given.map((key) => [keyIdOf(key), key]));
    this.#check = new ChainCheck(this.#keys);
  }

  add(line: Line): void {
    if (this.#ended) this.#surplus = true;
    else if (line.type === "checkpoint") this.#addCheckpoint(line);
    else if (line.type === "row") this.#addRow(line);
    else if (line.type === "end") this.#end(line);
    else throw new NotAnExport(`A line of the type ${JSON.stringify(line.type)} belongs to no export of this version.`);
  }

  result(): ExportVerification {
    const result = this.#check.result();
    const kept = (this.#known.checkpoints ?? []).map((checkpoint) => this.#compare(checkpoint));
    const broken = result.first_broken ?? this.#brokenFile(result.checkpoints);
    return {
      ...result,
      first_broken: broken,
      intact: result.intact && broken === null && kept.every(({ holds }) => holds),
      keys_given: (this.#known.publicKeys ?? []).length > 0,
      key_ids: [...this.#keys.keys()],
      kept,
      cannot_show: whatCannotBeShown(result),
    };
  }

  /** What is wrong with the file where nothing is wrong with the rows in it. */
  #brokenFile(checkpoints: AuditVerification["checkpoints"]): ExportVerification["first_broken"] {
    const id = this.#check.end.id + 1;
    if (!this.#ended) return { id, code: "missing", detail: `The file was cut off after row ${id - 1}.` };
    if (this.#surplus) return { id, code: "surplus", detail: "Something follows the end of the export." };
    if (checkpoints.first_broken !== null || (checkpoints.last !== null && checkpoints.rows_after_last === 0))
      return null;
    // Every export is signed up to its last row. Hashes alone need no key: whoever changes the file can make them anew.
    const signed = checkpoints.last?.last_id ?? 0;
    const detail = `No checkpoint covers what follows row ${signed}: no export is written like this.`;
    return { id: signed + 1, code: "not_as_signed", detail };
  }

  #addCheckpoint({ type: _type, ...fields }: Line): void {
    // Behind rows one would move the place where they have to begin.
    if (this.#hasRows) throw new NotAnExport("A checkpoint stands behind rows: no export is written like this.");
    const checkpoint = readCheckpoint(fields);
    const wanted = this.#known.checkpoints?.some(({ sequence }) => sequence === checkpoint.sequence);
    if (wanted === true && !this.#found.has(checkpoint.sequence)) this.#found.set(checkpoint.sequence, checkpoint);
    this.#check.addCheckpoint(checkpoint);
  }

  #addRow(line: Line): void {
    this.#hasRows = true;
    this.#check.addRow(readRow(line));
  }

  #end(line: Line): void {
    this.#ended = true;
    const { last_id: id, rows, checkpoint, hash } = line;
    this.#check.finish({ id: Number(id), hash: String(hash), rows: Number(rows), checkpoint: Number(checkpoint) });
  }

  /** It holds where its signature is good and the file has the very same: the chain of checkpoints binds the rest to it. */
  #compare(kept: AuditCheckpoint): ExportVerification["kept"][number] {
    const { sequence } = kept;
    const key = this.#keys.get(kept.key_id);
    if (key === undefined || !isSigned(kept, key)) {
      const detail = `The checkpoint ${sequence} that was kept is not signed by a key that is known here.`;
      return { sequence, holds: false, detail };
    }
    const found = this.#found.get(sequence);
    if (found === undefined) {
      return {
        sequence,
        holds: false,
        detail: `The file has no checkpoint ${sequence}: it is older, or was rewritten.`,
      };
    }
    if (isSameCheckpoint(kept, found))
      return { sequence, holds: true, detail: `Checkpoint ${sequence} is the one kept.` };
    return {
      sequence,
      holds: false,
      detail: `Checkpoint ${sequence} of the file is another one: the log was rewritten.`,
    };
  }
}

function parseLine(text: string): Line {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Line;
  } catch {
    // Said below.
  }
  throw new NotAnExport("A line of the file is no JSON object: it was cut off, or is no export.");
}

function readHeader({ type, format, version, public_keys: keys }: Line): ReadonlyMap<string, KeyObject> {
  if (type !== "header" || format !== exportFormat) throw new NotAnExport("The file is no export of an audit log.");
  if (version !== exportVersion) {
    throw new NotAnExport(
      `The export has the version ${JSON.stringify(version)}; this program reads ${exportVersion}.`,
    );
  }
  const found = new Map<string, KeyObject>();
  for (const entry of Array.isArray(keys) ? (keys as unknown[]) : []) {
    const { public_key: text } = (entry ?? {}) as { public_key?: unknown };
    const key = typeof text === "string" ? parsePublicKey(text) : null;
    // Named by what it is, not by what the file calls it.
    if (key !== null) found.set(keyIdOf(key), key);
  }
  return found;
}

/** A checkpoint in JSON; what has another form becomes one that nobody has signed. */
export function readCheckpoint(value: Readonly<Record<string, unknown>>): AuditCheckpoint {
  const names = Object.keys(CheckpointSchema.properties) as (keyof AuditCheckpoint)[];
  const entries = names.map((name) => {
    const isNumber = ["sequence", "last_id", "rows"].includes(name);
    return [name, typeof value[name] === (isNumber ? "number" : "string") ? value[name] : isNumber ? 0 : ""];
  });
  return Object.fromEntries(entries) as AuditCheckpoint;
}

function readRow(line: Line): ChainRow {
  const { id, previous_hash: previous, hash } = line;
  return {
    id: typeof id === "number" ? id : 0,
    previousHash: typeof previous === "string" ? previous : null,
    hash: typeof hash === "string" ? hash : null,
    encoded: encodeLine(line),
  };
}

function encodeLine(line: Line): string {
  const numbers = ["id", "timestamp"];
  const isField = (name: string) => {
    const value = line[name];
    if (numbers.includes(name)) return Number.isSafeInteger(value);
    return typeof value === "string" || ((name === "target" || name === "previous_hash") && value === null);
  };
  // A row that has not the form of one was never hashed: nothing gives a hash like this.
  return rowColumns.every(isField) ? encodeRow(line as unknown as RowFields) : "";
}
