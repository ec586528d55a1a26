/** PostgreSQL is not served yet. Passed over in silence, it would give each of several gateways a library of its own. */
const unserved = ["DATABASE_URL", "DATABASE_URL_FILE"] as const;

/** One line for each setting that a later release reads and this one must not pass over. */
export function findUnserved(read: (name: string) => string | undefined): string[] {
  return unserved
    .filter((name) => read(name) !== undefined)
    .map((name) => `${name}: this release keeps its data in SQLite, in DATA_DIR; leave it empty.`);
}
