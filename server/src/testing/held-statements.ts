// Statements of a database that a test holds before they are sent, so that it decides what happens in between.

import type { Database, Prepare, SqlValue, Statement } from "../database/database.ts";

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
  const { promise: waiting, resolve: say } = Promise.withResolvers<void>();
  const { promise: opened, resolve: release, reject } = Promise.withResolvers<void>();
  opened.catch(() => undefined);
  const real = database.prepareRead;
  const held = (statement: Statement): Statement => {
    const afterwards =
      <Result>(call: (...values: SqlValue[]) => Promise<Result>) =>
      async (...values: SqlValue[]): Promise<Result> => {
        say();
        await opened;
        return call(...values);
      };
    return {
      get: afterwards((...values) => statement.get(...values)),
      all: afterwards((...values) => statement.all(...values)),
      run: afterwards((...values) => statement.run(...values)),
    };
  };
  const prepare = (sql: string): Statement => (sql.includes(words) ? held(real(sql)) : real(sql));
  const exchange = (prepareRead: Prepare): void => void Object.assign(database, { prepareRead });
  exchange(Object.assign(prepare, { dialect: database.dialect }));
  return {
    waiting,
    release: () => {
      exchange(real);
      release();
    },
    fail: () => reject(new Error("the database cannot be reached")),
  };
}
