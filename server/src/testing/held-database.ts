import type {
  AfterCommit,
  Database,
  Prepare,
  Reading,
  SqlValue,
  Statement,
  Transaction,
} from "../database/database.ts";

/** A database between whose steps a test may stand: what a hook answers is waited for, what it throws is the failure of that step. */
export class HeldDatabase implements Database {
  readonly #real: Database;
  /** Before a statement outside a transaction is sent, and with `BEGIN` before a `read` begins. */
  onRead: (sql: string) => Promise<void> | void = () => undefined;
  /** Before a piece of work is handed over. */
  onWrite: () => Promise<void> | void = () => undefined;
  /** Once it is on disk, before anybody hears of it: the answer to a commit may be lost. */
  onWritten: () => Promise<void> | void = () => undefined;

  constructor(real: Database) {
    this.#real = real;
  }

  get kind(): Database["kind"] {
    return this.#real.kind;
  }

  get dialect(): Database["dialect"] {
    return this.#real.dialect;
  }

  get commits(): number {
    return this.#real.commits;
  }

  get shared(): boolean {
    return this.#real.shared;
  }

  get clock(): Database["clock"] {
    return this.#real.clock;
  }

  listen(channel: string, heard: (text: string | null) => void): () => void {
    return this.#real.listen(channel, heard);
  }

  lead(hear: (leads: boolean) => void): () => Promise<void> {
    return this.#real.lead(hear);
  }

  size(): Promise<number> {
    return this.#real.size();
  }

  get prepareRead(): Prepare {
    return this.#held(this.#real.prepareRead);
  }

  async read<T>(work: (reading: Reading) => Promise<T>): Promise<T> {
    await this.onRead("BEGIN");
    return this.#real.read((reading) => work({ ...reading, prepare: this.#held(reading.prepare) }));
  }

  async write<T>(work: (tx: Transaction) => Promise<T> | T): Promise<T> {
    await this.onWrite();
    const afterCommit: AfterCommit[] = [];
    const value = await this.#real.write((tx) =>
      work({
        prepare: tx.prepare,
        dialect: tx.dialect,
        notify: (channel, text) => tx.notify(channel, text),
        afterCommit: (run) => void afterCommit.push(run),
      }),
    );
    await this.onWritten();
    for (const run of afterCommit) await run();
    return value;
  }

  isUsable(): boolean {
    return this.#real.isUsable();
  }

  close(): Promise<void> {
    return this.#real.close();
  }

  #held(prepare: Prepare): Prepare {
    return heldPrepare(prepare, (sql) => this.onRead(sql));
  }
}

/** Statements that are sent once `before` has settled; it is asked at each call. */
function heldPrepare(prepare: Prepare, before: (sql: string) => Promise<void> | void): Prepare {
  const held = (sql: string): Statement => {
    const statement = prepare(sql);
    const afterwards =
      <Result>(call: (...values: SqlValue[]) => Promise<Result>) =>
      async (...values: SqlValue[]): Promise<Result> => {
        await before(sql);
        return call(...values);
      };
    return {
      get: afterwards((...values) => statement.get(...values)),
      all: afterwards((...values) => statement.all(...values)),
      run: afterwards((...values) => statement.run(...values)),
    };
  };
  return Object.assign(held, { dialect: prepare.dialect });
}

export interface HeldStatements {
  /** Resolves when the first one waits. */
  readonly waiting: Promise<void>;
  /** Lets those that wait and all that follow through; they are sent only now. */
  release(): void;
  /** Those that wait, and all that follow until they are released, fail like a database that cannot be reached. */
  fail(): void;
}

/** From now on reading statements with these words in them wait. Statements of `read` and `write` do not. */
export function holdReads(database: Database, words: string): HeldStatements {
  const gate = new Gate();
  const real = database.prepareRead;
  const exchange = (prepareRead: Prepare): void => void Object.assign(database, { prepareRead });
  exchange(heldPrepare(real, (sql) => (sql.includes(words) ? gate.pass() : undefined)));
  return {
    waiting: gate.reached,
    release: () => {
      exchange(real);
      gate.open();
    },
    fail: () => gate.fail(new Error("the database cannot be reached")),
  };
}

/** A place where something waits until the test lets it go on. */
export class Gate {
  readonly #reached = Promise.withResolvers<void>();
  readonly #opened = Promise.withResolvers<void>();

  constructor() {
    this.#opened.promise.catch(() => undefined);
  }

  /** Resolves when somebody waits here. */
  get reached(): Promise<void> {
    return this.#reached.promise;
  }

  pass(): Promise<void> {
    this.#reached.resolve();
    return this.#opened.promise;
  }

  open(): void {
    this.#opened.resolve();
  }

  /** Who waits here, or comes later, fails with this error. */
  fail(error: Error): void {
    this.#opened.reject(error);
  }
}
