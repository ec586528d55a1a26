/**
 * Who goes first of those that wait: what an operator put to the front, by arrival; then one task of each credential in turn, each
 * credential's own by arrival. A credential that was served goes to the end of the rotation, and so does one that begins to wait.
 */
import type { Transaction } from "../database/database.ts";
import type { Prepare } from "./read.ts";
import { type TaskRecord, toTaskRecord } from "./task-record.ts";

/**
 * Those at the front and those in the rotation, each by its own index. The index is named: left to choose, SQLite takes one that looks at
 * every task that waits.
 */
export const inFrontOf = ({ dialect }: Prepare): string =>
  `tasks${dialect.through("tasks_in_front")} WHERE status = 'pending' AND front = 1`;
export const inTurnOf = ({ dialect }: Prepare): string =>
  `tasks${dialect.through("tasks_in_turn")} WHERE status = 'pending' AND front = 0`;

/** Where a task stands among those that wait. */
export interface Turn {
  /** 1 for the one that goes next. */
  readonly position: number;
  /** How many at the front go before it. */
  readonly inFront: number;
  /** Of its own credential, itself included; 0 for one at the front. */
  readonly round: number;
}

/** The place of a task that waits, when all that wait can run. Reads one row for each credential and counts along one index. */
export async function turnOf(prepare: Prepare, task: TaskRecord): Promise<Turn> {
  if (task.front) {
    const before = await count(
      prepare,
      `SELECT count(*) AS count FROM ${inFrontOf(prepare)} AND sequence < ?`,
      task.sequence,
    );
    return { position: before + 1, inFront: before, round: 0 };
  }
  const inFront = await count(prepare, `SELECT count(*) AS count FROM ${inFrontOf(prepare)}`);
  const own = await prepare("SELECT place, waiting FROM queue_turns WHERE credential = ?").get(task.submittedBy);
  // Counted from the end, since places are asked for most when a task has just been submitted.
  const behind = await count(
    prepare,
    `SELECT count(*) AS count FROM ${inTurnOf(prepare)} AND submitted_by = ? AND sequence > ?`,
    task.submittedBy,
    task.sequence,
  );
  const round = Math.max(1, Number(own?.waiting ?? 1) - behind);
  const others = await count(
    prepare,
    `SELECT coalesce(sum(CASE WHEN waiting < most THEN waiting ELSE most END), 0) AS count FROM (
       SELECT waiting, CASE WHEN place < ? THEN CAST(? AS BIGINT) ELSE CAST(? AS BIGINT) END AS most
       FROM queue_turns WHERE credential <> ?) AS others`,
    Number(own?.place ?? 0),
    round,
    round - 1,
    task.submittedBy,
  );
  return { position: inFront + round + others, inFront, round };
}

/** Tasks of one model and mode. */
export interface Kind {
  readonly model: string;
  readonly mode: string;
  readonly count: number;
}

/** How many of each model and mode go before a task. Reads each of them: meant for the first hundred or so. */
export async function tasksAhead(prepare: Prepare, task: TaskRecord, { inFront, round }: Turn): Promise<Kind[]> {
  const kinds = new Map<string, { model: string; mode: string; count: number }>();
  const add = async (where: string, most: number, ...values: string[]): Promise<void> => {
    const rows = await prepare(`SELECT model, mode FROM ${where} ORDER BY sequence LIMIT ?`).all(...values, most);
    for (const row of rows) {
      const [model, mode] = [String(row.model), String(row.mode)];
      const kind = kinds.get(`${model}/${mode}`) ?? { model, mode, count: 0 };
      kind.count += 1;
      kinds.set(`${model}/${mode}`, kind);
    }
  };
  await add(inFrontOf(prepare), inFront);
  if (round === 0) return [...kinds.values()];
  const place = Number(
    (await prepare("SELECT place FROM queue_turns WHERE credential = ?").get(task.submittedBy))?.place ?? 0,
  );
  const rows = await prepare("SELECT credential, place FROM queue_turns WHERE place <= ? OR ? > 1").all(place, round);
  for (const row of rows) {
    const before = row.credential !== task.submittedBy && Number(row.place) < place;
    await add(`${inTurnOf(prepare)} AND submitted_by = ?`, before ? round : round - 1, String(row.credential));
  }
  return [...kinds.values()];
}

/** The tasks that go next, in this order, when all that wait can run. Passes over the whole queue along its indexes. */
export async function foremost(prepare: Prepare, most: number): Promise<{ task: TaskRecord; turn: Turn }[]> {
  const turns = turnsOf(await ordered(prepare, most));
  const places = turns.map(() => "?").join(", ");
  const rows =
    turns.length === 0
      ? []
      : await prepare(`SELECT * FROM tasks WHERE sequence IN (${places})`).all(...turns.map(([sequence]) => sequence));
  const tasks = new Map(rows.map((row) => [Number(row.sequence), toTaskRecord(row)]));
  return turns.flatMap(([sequence, turn]) => {
    const task = tasks.get(sequence);
    return task === undefined ? [] : [{ task, turn }];
  });
}

/** The turn of every task that waits, by its sequence. */
export async function allTurns(prepare: Prepare): Promise<Map<number, Turn>> {
  return new Map(turnsOf(await ordered(prepare, Number.MAX_SAFE_INTEGER)));
}

/** Of the first ones in their order; all that stand at the front are among them, or nothing else is. */
function turnsOf(rows: readonly { sequence: number; round: number }[]): [number, Turn][] {
  const inFront = rows.filter(({ round }) => round === 0).length;
  return rows.map(({ sequence, round }, index) => [
    sequence,
    { position: index + 1, inFront: round === 0 ? index : inFront, round },
  ]);
}

async function ordered(prepare: Prepare, most: number): Promise<{ sequence: number; round: number }[]> {
  return (
    await prepare(
      `SELECT sequence, 0 AS round, 0 AS place FROM ${inFrontOf(prepare)}
     UNION ALL
     SELECT sequence, round, place FROM (
       SELECT sequence, submitted_by, row_number() OVER (PARTITION BY submitted_by ORDER BY sequence) AS round
       FROM ${inTurnOf(prepare)}
     ) AS turns JOIN queue_turns ON credential = submitted_by
     ORDER BY round, place, sequence LIMIT ?`,
    ).all(most)
  ).map((row) => ({ sequence: Number(row.sequence), round: Number(row.round) }));
}

/** A credential has been served and goes to the end of the rotation. Being put to the front costs no turn. */
export async function endTurn(tx: Transaction, task: Pick<TaskRecord, "submittedBy" | "front">): Promise<void> {
  if (task.front) return;
  await tx
    .prepare("UPDATE queue_turns SET place = (SELECT max(place) FROM queue_turns) + 1 WHERE credential = ?")
    .run(task.submittedBy);
}

async function count(prepare: Prepare, sql: string, ...values: (string | number)[]): Promise<number> {
  return Number((await prepare(sql).get(...values))?.count ?? 0);
}
