import { expect } from "vitest";
import { StartupError } from "../errors.ts";

/** The one line with which a database is not opened; one that does open is closed again and fails the test. */
export async function refusalOf(opening: Promise<{ close(): Promise<void> }>): Promise<string> {
  const error: unknown = await opening.then(
    async (database) => {
      await database.close();
      return undefined;
    },
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(StartupError);
  const { problems } = error as StartupError;
  expect(problems).toHaveLength(1);
  expect(problems.join()).not.toContain("\n");
  return problems.join();
}
