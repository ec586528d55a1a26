/** Columns of a table, `?` for values: rows after those of the key columns, in their order; `isFirst` those from the beginning. */
export function portionSql(
  table: string,
  columns: readonly string[],
  key: readonly string[],
  { isFirst, count }: { readonly isFirst: boolean; readonly count: number },
): string {
  const order = key.join(", ");
  const where = isFirst ? "" : `WHERE (${order}) > (${key.map(() => "?").join(", ")})`;
  return `SELECT ${columns.join(", ")} FROM ${table} ${where} ORDER BY ${order} LIMIT ${count}`;
}
