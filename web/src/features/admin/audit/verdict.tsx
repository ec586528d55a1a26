import type { AuditVerification } from "@safelight/contract";
import { ShieldAlert, ShieldCheck, TriangleAlert } from "lucide-react";
import { describeProblem } from "../../../api/problems.ts";
import { formatNumber } from "../../../ui/language.ts";
import type { useAuditCheck } from "../data/audit.ts";
import { strings } from "./verdict-strings.ts";

/** What the last check of the log came to, read out when it is there. */
export function Verdict({ check: { data, error } }: { check: ReturnType<typeof useAuditCheck> }) {
  return (
    <div aria-live="polite">
      {error === null ? null : <NotChecked error={error} />}
      {data === undefined || error !== null ? null : <Result result={data} />}
    </div>
  );
}

function NotChecked({ error }: { error: Error }) {
  const { detail, action } = describeProblem(error);
  return (
    <div className="admin-verdict">
      <TriangleAlert className="icon text-warn" aria-hidden="true" />
      <div>
        <p className="font-medium">{strings.failed}</p>
        <p className="text-soft">{[detail, action].filter(Boolean).join(" ")}</p>
      </div>
    </div>
  );
}

function Result({ result }: { result: AuditVerification }) {
  const { intact, checked, checkpoints, first_broken: row, cannot_show: limits } = result;
  const Icon = intact ? ShieldCheck : ShieldAlert;
  return (
    <div className="admin-verdict">
      <Icon className={`icon ${intact ? "text-ok" : "text-danger"}`} aria-hidden="true" />
      <div className="grid gap-1">
        <p className={`font-medium ${intact ? "" : "text-danger"}`}>{intact ? strings.intact : strings.broken}</p>
        {row === null ? null : <p>{strings.row(formatNumber(row.id), wordsOf(strings.rowCodes, row))}</p>}
        {checkpoints.first_broken === null ? null : (
          <p>
            {strings.checkpoint(
              formatNumber(checkpoints.first_broken.sequence),
              wordsOf(strings.checkpointCodes, checkpoints.first_broken),
            )}
          </p>
        )}
        <p className="text-soft num">{strings.held(strings.rows(checked), strings.checkpoints(checkpoints.checked))}</p>
        <details className="text-label text-soft">
          <summary className="py-1">{strings.limits}</summary>
          <ul className="mt-1 grid gap-1">
            {limits.map((limit) => (
              <li key={limit.code}>{wordsOf(strings.limitCodes, limit)}</li>
            ))}
          </ul>
        </details>
      </div>
    </div>
  );
}

/** A code of tomorrow is told as the server put it. */
function wordsOf(words: Readonly<Record<string, string>>, { code, detail }: { code: string; detail: string }): string {
  return words[code] ?? detail;
}
