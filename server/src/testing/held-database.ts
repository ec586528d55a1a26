import type { AfterCommit, Database, Prepare, Reading, Statement, Transaction } from "../database/database.ts";

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
    const value = await this.#real.write(({ prepare, dialect }) =>
      work({ prepare, dialect, afterCommit: (run) => void afterCommit.push(run) }),
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
    const held = (sql: string): Statement => {
      const statement = prepare(sql);
      return {
        get: async (...values) => {
          await this.onRead(sql);
          return statement.get(...values);
        },
        all: async (...values) => {
          await this.onRead(sql);
          return statement.all(...values);
        },
        run: async (...values) => {
          await this.onRead(sql);
          return statement.run(...values);
        },
      };
    };
    return Object.assign(held, { dialect: prepare.dialect });
  }
}

/** A place where something waits until the test lets it go on. */
export class Gate {
  #arrive: () => void = () => undefined;
  #open: () => void = () => undefined;
  /** Resolves when somebody waits here. */
  readonly reached = new Promise<void>((resolve) => (this.#arrive = resolve));
  readonly #opened = new Promise<void>((resolve) => (this.#open = resolve));

  pass(): Promise<void> {
    this.#arrive();
    return this.#opened;
  }

  open(): void {
    this.#open();
  }
}
