import { type Environment, readConfig } from "../config.ts";
import { StartupError } from "../errors.ts";

/** What a start with these settings complains of, one line for each; empty where it takes them. */
export function problemsOf(environment: Environment): readonly string[] {
  try {
    readConfig(environment);
    return [];
  } catch (error) {
    if (error instanceof StartupError) return error.problems;
    throw error;
  }
}
