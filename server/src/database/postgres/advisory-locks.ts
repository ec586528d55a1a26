/** The numbers of the locks that gateways take in their database. Any numbers that nobody else uses there, and each for one thing alone. */
export const advisoryLocks = {
  /** Of a transaction: its turn to write. */
  turn: 5_318_008_135,
  /** Of a transaction: brings the schema up to date. */
  schema: 5_318_008_136,
  /** Of a session: leads. */
  leader: 5_318_008_137,
  /** Of a session: fills the database with a copy of another one. */
  copy: 5_318_008_138,
} as const;
