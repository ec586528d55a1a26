import type { Database } from "./database.ts";

export interface OpenOptions {
  file: string;
}

/** Opens or creates the database and brings its schema up to date. Throws StartupError with one clear line. */
export function openDatabase(_options: OpenOptions): Promise<Database> {
  throw new Error("not built yet");
}
