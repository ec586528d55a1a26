/** Milliseconds between checks of an account that is well. */
const usual = 30_000;
const soonest = 5_000;
const longest = 300_000;

/**
 * Milliseconds until the next planned check after `badChecks` bad ones in a row: half a minute while all is well, otherwise from five
 * seconds, doubling, to five minutes; each up to a fifth shorter or longer by `chance` (0 to 1), so that many accounts do not march
 * in step.
 */
export function nextCheckIn(badChecks: number, chance: number): number {
  const base = badChecks === 0 ? usual : Math.min(longest, soonest * 2 ** Math.min(badChecks - 1, 20));
  return Math.round(base * (0.8 + 0.4 * chance));
}

/** The longest that a planned check may lie ahead; one that lies further was planned by a clock that has been set back since. */
export const furthestCheck = longest * 1.2;
