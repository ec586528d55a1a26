import type { Context } from "../context/context.ts";

type End = () => Promise<void> | void;

/**
 * Runs `begin` whenever this gateway comes to lead, and what it answered when it no longer does; what has begun ends before it begins
 * again. Answers how to stop, which waits for that end. Where the database is not shared `begin` runs at once, and its error is thrown here.
 */
export function whileLeading({ database, log }: Pick<Context, "database" | "log">, begin: () => End): End {
  let end: End | null = null;
  let ending: Promise<void> | null = null;
  let leads = false;

  const beginNow = (): void => {
    if (leads && end === null && ending === null) end = begin();
  };
  const beginLater = (): void => {
    try {
      beginNow();
    } catch (error) {
      log.error("what only one gateway does could not be begun here", { error });
    }
  };
  const finish = (): Promise<void> => {
    if (end !== null) {
      const run = end;
      end = null;
      ending = (async () => run())()
        .catch((error: unknown) => log.error("what only one gateway does did not end well here", { error }))
        .then(() => {
          ending = null;
          beginLater();
        });
    }
    return ending ?? Promise.resolve();
  };

  let stopping: Promise<void> | undefined;
  const giveUp = database.lead((isLeading) => {
    leads = isLeading && stopping === undefined;
    if (leads) beginNow();
    else void finish();
  });
  // Nobody else begins before this has ended.
  const stop = async (): Promise<void> => {
    leads = false;
    await finish();
    await giveUp();
  };
  return () => (stopping ??= stop());
}
