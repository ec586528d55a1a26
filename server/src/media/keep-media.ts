/** What is done from time to time for what is stored. The functions that come back end it. */
import type { Context } from "../context/context.ts";
import { whileLeading } from "../gateways/while-leading.ts";
import { sweepAdminSessions } from "../sessions/admin-sessions.ts";
import { sweepSessions } from "../sessions/sessions.ts";
import type { MeteredMediaStore } from "./metered-media-store.ts";
import { SharedUsage } from "./shared-usage.ts";
import { sweepUploads } from "./sweep-uploads.ts";

const sweepInterval = 60 * 60 * 1000;
const countInterval = 60 * 60 * 1000;
/** A count that began an hour ago ended a little less long ago. */
const counts = 10 * 60 * 1000;

/** Removes unused uploads and old sessions, soon after the start and then every hour; of several gateways one does. */
export function startSweeping(context: Context): () => Promise<void> | void {
  return whileLeading(context, () => sweepFromNowOn(context));
}

function sweepFromNowOn(context: Context): () => void {
  const sweep = async (): Promise<void> => {
    try {
      const uploads = await sweepUploads(context);
      const sessions = (await sweepSessions(context)) + (await sweepAdminSessions(context));
      if (uploads.uploads + uploads.files + sessions > 0) context.log.info("swept", { ...uploads, sessions });
    } catch (error) {
      context.log.warn("sweeping failed; it is tried again in an hour", { error });
    }
  };
  const first = setTimeout(() => void sweep(), 60_000).unref();
  const timer = setInterval(() => void sweep(), sweepInterval).unref();
  return () => {
    clearTimeout(first);
    clearInterval(timer);
  };
}

/**
 * Finds out how much is stored, at once and then every hour; in between every change is added up. Of several gateways one counts, and all
 * of them add up what any of them changes.
 */
export function startCounting(context: Context, media: MeteredMediaStore): () => Promise<void> | void {
  const { database, log } = context;
  const counting = (count: (over: AbortSignal) => Promise<unknown>) => {
    const stopping = new AbortController();
    const run = () =>
      void count(stopping.signal).catch((error: unknown) => log.warn("media could not be counted", { error }));
    run();
    const timer = setInterval(run, countInterval).unref();
    return () => {
      clearInterval(timer);
      stopping.abort();
    };
  };
  if (!database.shared) return counting((over) => media.count(over));
  const shared = new SharedUsage(context, media);
  const stopExchanging = shared.start();
  const stopCounting = whileLeading(context, () =>
    counting(async (over) => {
      const since = context.clock.now() - ((await shared.countedAt()) ?? 0);
      // Whoever led before has counted: another leader is no reason to list everything again.
      if (Math.abs(since) >= countInterval - counts) await shared.count(over);
    }),
  );
  return async () => {
    await stopCounting();
    await stopExchanging();
  };
}
