import type { Statistics } from "@safelight/contract";
import type { ReactNode } from "react";
import { bytesWords } from "../../ui/figures.ts";
import { formatNumber } from "../../ui/language.ts";
import { duration } from "../../ui/time.ts";
import { standingOf } from "./accounts/standing.ts";
import { useAccounts } from "./data/accounts.ts";
import { useHealth } from "./data/health.ts";
import { useQueue, useStatistics } from "./data/queue.ts";
import { type Span, usualSpan } from "./search.ts";
import { strings } from "./strings.ts";

/** The whole installation in six figures. `hours` is the time that the figures below look at. */
export function Gist({ hours }: { hours: Span }) {
  const words = strings.gist;
  const statistics = useStatistics(hours).data;
  return (
    <dl className="admin-gist">
      <AccountsFigure />
      <QueueFigure />
      <DoneFigure statistics={statistics} hours={hours} />
      <WaitFigure statistics={statistics} />
      <PartsFigure />
      <Figure
        name={words.storage}
        value={statistics === undefined ? words.unknown : bytesWords(statistics.storage.media_bytes)}
        note={
          statistics === undefined || statistics.storage.free_bytes === null
            ? null
            : words.free(bytesWords(statistics.storage.free_bytes))
        }
      />
    </dl>
  );
}

function Figure({ name, value, note }: { name: string; value: ReactNode; note: string | null }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>
        {value}
        {note === null || note === "" ? null : <small>{note}</small>}
      </dd>
    </div>
  );
}

function AccountsFigure() {
  const words = strings.gist;
  const accounts = useAccounts().data;
  if (accounts === undefined) return <Figure name={words.accounts} value={words.unknown} note={null} />;
  const count = (standing: string) => accounts.filter((account) => standingOf(account) === standing).length;
  const [draining, failed] = [count("draining"), count("failed")];
  const notes = [draining > 0 ? words.draining(draining) : null, failed > 0 ? words.failed(failed) : null];
  return (
    <Figure
      name={words.accounts}
      value={words.of(count("ready"), accounts.length)}
      note={notes.filter((note) => note !== null).join(", ")}
    />
  );
}

function QueueFigure() {
  const words = strings.gist;
  const queue = useQueue().data?.state;
  if (queue === undefined) return <Figure name={words.queue} value={words.unknown} note={null} />;
  const running = words.running(queue.processing);
  return (
    <Figure
      name={words.queue}
      value={formatNumber(queue.pending)}
      note={queue.paused ? `${running}, ${words.paused}` : running}
    />
  );
}

function DoneFigure({ statistics, hours }: { statistics: Statistics | undefined; hours: Span }) {
  const words = strings.gist;
  const name = hours === usualSpan ? words.lastDay : words.lastHours(hours);
  if (statistics === undefined) return <Figure name={name} value={words.unknown} note={null} />;
  const sum = (field: "done" | "failed") => statistics.buckets.reduce((all, bucket) => all + bucket[field], 0);
  return <Figure name={name} value={words.done(sum("done"))} note={words.failed(sum("failed"))} />;
}

/** The wait of the latest tasks: those of the last stretch of time in which any ended. */
function WaitFigure({ statistics }: { statistics: Statistics | undefined }) {
  const words = strings.gist;
  const latest = statistics?.buckets.findLast(({ wait_seconds }) => wait_seconds !== null)?.wait_seconds ?? null;
  if (latest === null) return <Figure name={words.wait} value={words.unknown} note={null} />;
  return <Figure name={words.wait} value={duration(latest.p50)} note={words.within(duration(latest.p95))} />;
}

function PartsFigure() {
  const words = strings.gist;
  const parts = useHealth().data?.parts;
  if (parts === undefined) return <Figure name={words.parts} value={words.unknown} note={null} />;
  const failed = parts.filter(({ state }) => state === "failed").length;
  const limited = parts.filter(({ state }) => state === "degraded").length;
  const [mark, text] =
    failed > 0
      ? ["state-failed", words.broken(failed)]
      : limited > 0
        ? ["state-waiting", words.limited(limited)]
        : ["state-ready", words.allWell];
  return <Figure name={words.parts} value={<span className={`state ${mark}`}>{text}</span>} note={null} />;
}
