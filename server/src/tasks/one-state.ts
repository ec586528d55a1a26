import type { Prepare, Row, SqlValue, Statement } from "../database/database.ts";

/**
 * The statements of one reading, each sent once: asked again with the same values it is answered from memory. For those who describe many
 * tasks and ask the same of all of them. Not for a transaction, in which the state changes.
 */
export function inOneState(prepare: Prepare): Prepare {
  const answers = new Map<string, Promise<Row | undefined> | Promise<Row[]>>();
  const once = <Answer extends Promise<Row | undefined> | Promise<Row[]>>(key: string, ask: () => Answer): Answer => {
    const known = answers.get(key) as Answer | undefined;
    const answer = known ?? ask();
    if (known === undefined) answers.set(key, answer);
    return answer;
  };
  const remembering = (sql: string): Statement => {
    const statement = prepare(sql);
    const keyOf = (how: string, values: readonly SqlValue[]) => [how, sql, ...values.map(String)].join("\0");
    return {
      get: (...values) => once(keyOf("get", values), () => statement.get(...values)),
      all: (...values) => once(keyOf("all", values), () => statement.all(...values)),
      run: (...values) => statement.run(...values),
    };
  };
  return Object.assign(remembering, { dialect: prepare.dialect });
}
