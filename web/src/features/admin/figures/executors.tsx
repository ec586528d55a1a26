import type { Statistics } from "@safelight/contract";
import type { CSSProperties } from "react";
import { formatNumber } from "../../../ui/language.ts";
import { duration } from "../../../ui/time.ts";
import { Title } from "./charts.tsx";
import { strings } from "./strings.ts";

/** How long runs took at each executor: a dot at the median, a line to what 95 in 100 stayed within. */
export function Executors({ statistics: { by_executor } }: { statistics: Statistics }) {
  if (by_executor.length === 0) return null;
  const most = Math.max(1e-9, ...by_executor.map(({ run_seconds }) => run_seconds?.p95 ?? 0));
  return (
    <figure className="admin-chart admin-wide">
      <Title title={strings.executors} note={strings.spread} />
      <table className="admin-dumbbells">
        <thead className="visually-hidden">
          <tr>
            {[strings.executor, strings.range, strings.median, strings.most, strings.done, strings.failures].map(
              (name) => (
                <th key={name} scope="col">
                  {name}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>
          {by_executor.map(({ executor, done, failed, run_seconds }) => (
            <tr key={executor}>
              <th scope="row">
                {executor === "embedded" ? strings.embedded : <span className="mono">{executor}</span>}
              </th>
              <td className="admin-rng" aria-hidden="true">
                {run_seconds === null ? null : (
                  <span style={{ "--a": run_seconds.p50 / most, "--b": run_seconds.p95 / most } as CSSProperties} />
                )}
              </td>
              <td className="num">{run_seconds === null ? "–" : duration(run_seconds.p50)}</td>
              <td className="num text-soft">{run_seconds === null ? "–" : duration(run_seconds.p95)}</td>
              <td className="num text-soft">
                {formatNumber(done)} {strings.done}
              </td>
              <td className={`num ${failed > 0 ? "text-danger" : "text-faint"}`}>
                {formatNumber(failed)} {strings.failures}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </figure>
  );
}
