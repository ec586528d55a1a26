// How often the dashboard asks, in milliseconds. A session may ask 120 times a minute; all of this together is 50 while nothing runs, 95 at most.

/** What an operator watches change: accounts, queue, what runs, a deployment under way. */
export const often = 4_000;
/** What changes by the minute. */
export const sometimes = 15_000;
export const rarely = 30_000;

/** A query that is asked again while the page is in sight, and at once when it comes back into sight. */
export function polled(interval: number) {
  return {
    refetchInterval: interval,
    refetchIntervalInBackground: false,
    refetchOnWindowFocus: "always",
    staleTime: interval / 2,
    // A server on this machine or in this house answers without the internet; if it does not, that has to be seen.
    networkMode: "always",
  } as const;
}
