import type { AuditEvent } from "@safelight/contract";
import { ChevronDown, Download, ShieldCheck } from "lucide-react";
import { memo } from "react";
import { absoluteTime } from "../../../ui/time.ts";
import { useAudit, useAuditCheck } from "../data/audit.ts";
import { Loaded } from "../loaded.tsx";
import { ScrollBox } from "../scroll-box.tsx";
import { SectionHead } from "../section-head.tsx";
import { shortTime } from "../short-time.ts";
import { TableHead } from "../table-head.tsx";
import type { View } from "../use-view.ts";
import { actionWords } from "./action-words.ts";
import { AuditFilters } from "./audit-filters.tsx";
import { strings } from "./strings.ts";
import { Verdict } from "./verdict.tsx";

const columnCount = 6;

/** Who did what, newest first. */
export function AuditSection({ view }: { view: View }) {
  const audit = useAudit(view.search);
  const check = useAuditCheck();
  const seen = audit.data?.map((event) => event.action) ?? [];
  const { action, actor, outcome, from, to } = view.search;
  const isNarrowed = [action, actor, outcome, from, to].some((filter) => filter !== undefined);
  return (
    <section id="audit" aria-labelledby="audit-title" className="admin-section">
      <SectionHead id="audit-title" title={strings.title}>
        <button
          type="button"
          className="btn btn-small"
          aria-disabled={check.isPending || undefined}
          onClick={() => {
            if (!check.isPending) check.mutate();
          }}
        >
          <ShieldCheck className="icon" aria-hidden="true" />
          {check.isPending ? strings.checking : strings.check}
        </button>
        <a className="btn btn-quiet btn-small" href="/admin/logs/export" download>
          <Download className="icon" aria-hidden="true" />
          {strings.download}
        </a>
      </SectionHead>
      <Verdict check={check} />
      <AuditFilters search={view.search} seen={seen} onChange={view.change} />
      <Loaded query={audit} loading={strings.loading} failed={strings.failed}>
        {(events) =>
          events.length === 0 ? (
            <output className="admin-nothing">{isNarrowed ? strings.noMatch : strings.empty}</output>
          ) : (
            <AuditTable events={events} view={view} />
          )
        }
      </Loaded>
      <More audit={audit} />
    </section>
  );
}

function AuditTable({ events, view }: { events: readonly AuditEvent[]; view: View }) {
  return (
    <ScrollBox label={strings.table}>
      <table className="admin-table admin-audit">
        <TableHead columns={Object.values({ ...strings.columns }).map((name) => ({ name }))} />
        <tbody>
          {events.map((event) => (
            <AuditRow key={event.id} event={event} open={view.isOpen(`l.${event.id}`)} onToggle={view.toggle} />
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}

interface AuditRowProps {
  event: AuditEvent;
  open: boolean;
  onToggle: (row: string) => void;
}

const AuditRow = memo(function AuditRow({ event, open, onToggle }: AuditRowProps) {
  const { id, timestamp, action, target, actor, outcome, details } = event;
  const time = absoluteTime(timestamp);
  const moreId = `record-${id}`;
  return (
    <>
      <tr>
        <td className="num text-soft admin-when" title={time}>
          {shortTime(timestamp)}
        </td>
        <td className="admin-action">
          <button
            type="button"
            className="admin-open"
            aria-expanded={open}
            aria-controls={open ? moreId : undefined}
            aria-label={strings.show(actionWords(action), time)}
            onClick={() => onToggle(`l.${id}`)}
          >
            <span>{actionWords(action)}</span>
            <ChevronDown className="icon icon-small" aria-hidden="true" />
          </button>
        </td>
        <td className="mono text-soft admin-target">{target ?? "–"}</td>
        <td className="text-soft admin-by">{strings.actors[actor.type]}</td>
        <td className="admin-outcome">
          <span className={`state ${outcome === "success" ? "state-ready" : "state-failed"}`}>
            {strings.outcomes[outcome]}
          </span>
        </td>
        <td className="admin-detail text-soft">{detailsText(details)}</td>
      </tr>
      {open ? (
        <tr className="admin-more">
          <td colSpan={columnCount}>
            <dl id={moreId} className="admin-facts mono">
              <Fact name={strings.action} value={action} />
              <Fact name={strings.source} value={event.source} />
              <Fact name={strings.actorId} value={actor.id} />
              <Fact name={strings.columns.target} value={target ?? "–"} />
              <Fact name={strings.reference} value={event.correlation_id} />
              <Fact name={strings.columns.details} value={detailsText(details, true) || "–"} />
            </dl>
          </td>
        </tr>
      ) : null}
    </>
  );
});

function Fact({ name, value }: { name: string; value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd className="break-all">{value}</dd>
    </div>
  );
}

/** "code invalid_api_key, earlier 3": names and values as the log has them, without what goes without saying. */
export function detailsText(details: AuditEvent["details"], all = false): string {
  return Object.entries(details)
    .filter(([name, value]) => all || (name !== "route" && value !== 0 && value !== null && value !== false))
    .map(([name, value]) => `${name} ${typeof value === "string" ? value : JSON.stringify(value)}`)
    .join(", ");
}

function More({ audit }: { audit: ReturnType<typeof useAudit> }) {
  if (!audit.hasNextPage) return null;
  return (
    <output className="mt-3 block text-label text-faint">
      {audit.isFetchNextPageError ? `${strings.moreFailed} ` : null}
      <button
        type="button"
        className="btn btn-small"
        aria-disabled={audit.isFetchingNextPage}
        onClick={() => {
          if (!audit.isFetchingNextPage) void audit.fetchNextPage();
        }}
      >
        {audit.isFetchingNextPage ? strings.loadingMore : audit.isFetchNextPageError ? strings.tryAgain : strings.more}
      </button>
    </output>
  );
}
