import type { Bench } from "./bench.ts";

/** One thing that is judged. Resolves with a few words on what was seen; throws Broken. */
export interface Check {
  readonly name: string;
  run(bench: Bench): Promise<string>;
}
