/**
 * One step of the schema. Steps are numbered without gaps and are never edited once released: the checksum of the text is kept and
 * compared. `{{collation}}` stands for the collation that knows the letters of all languages, `{{schema}}` for the schema of the tables.
 */
export interface PostgresMigration {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
  /** Releases that do not know this step must not run beside it. Without it the step only adds. */
  readonly breaking?: boolean;
}
