/**
 * One step of the schema. Steps are numbered without gaps, only add (so that the release before still runs on the newer
 * schema), and are never edited once released: the checksum of the text is kept and compared.
 */
export interface Migration {
  number: number;
  name: string;
  sql: string;
}
