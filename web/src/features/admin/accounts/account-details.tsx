import type { Account, AccountHealth } from "@safelight/contract";
import { bytesWords } from "../../../ui/figures.ts";
import { formatNumber } from "../../../ui/language.ts";
import { absoluteTime } from "../../../ui/time.ts";
import { shortTime } from "../short-time.ts";
import { checkWords } from "./check-words.ts";
import { strings } from "./strings.ts";

interface AccountDetailsProps {
  id: string;
  account: Account;
  health: AccountHealth | undefined;
}

const shownChecks = 8;

/** Everything known about an account that its row has no room for. */
export function AccountDetails({ id, account, health }: AccountDetailsProps) {
  const words = strings.details;
  return (
    <div id={id} className="admin-details">
      <dl className="admin-facts">
        {factsOf(account, health).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className="num">{value}</dd>
          </div>
        ))}
      </dl>
      <div>
        <h3 className="text-label">{words.history}</h3>
        <Checks health={health} />
      </div>
    </div>
  );
}

function factsOf(account: Account, health: AccountHealth | undefined): [string, string][] {
  const words = strings.details;
  const worker = health?.worker ?? null;
  const gpus = worker?.gpus.map(({ name, memory_bytes }) => `${name}, ${bytesWords(memory_bytes)}`) ?? [];
  const facts: [string, string | null][] = [
    [words.address, account.base_url === null ? null : addressText(account)],
    [words.worker, worker === null ? null : `${worker.name} ${worker.version}, ${worker.engine}`],
    [words.gpus, worker === null ? null : gpus.join("; ") || words.none],
    [words.warm, worker === null ? null : worker.warm_models.join(", ") || words.none],
    [strings.columns.models, modelsText(account)],
    [
      words.containers,
      account.kind === "modal" ? words.containerRange(account.min_containers, account.max_containers) : null,
    ],
    [words.circuit, account.circuit.failures === 0 ? null : formatNumber(account.circuit.failures)],
    [words.added, absoluteTime(account.added_at)],
    [words.credentials, absoluteTime(account.credentials_changed_at)],
  ];
  return facts.filter((fact): fact is [string, string] => fact[1] !== null);
}

function addressText({ base_url, allow_plain_http }: Account): string {
  return [base_url, allow_plain_http ? strings.details.plainHttp : null].filter(Boolean).join(" · ");
}

function modelsText({ models }: Account): string {
  const offered = models.filter((model) => model.offered);
  if (offered.length === 0) return strings.details.none;
  return offered.map(({ id, modes }) => `${id} (${modes.join(", ")})`).join("; ");
}

function Checks({ health }: { health: AccountHealth | undefined }) {
  const words = strings.details;
  const checks = health?.history.slice(0, shownChecks) ?? [];
  if (checks.length === 0) return <p className="text-label text-soft">{words.historyEmpty}</p>;
  return (
    <table className="admin-checks">
      <thead className="visually-hidden">
        <tr>
          <th scope="col">{words.time}</th>
          <th scope="col">{words.outcome}</th>
          <th scope="col">{words.took}</th>
        </tr>
      </thead>
      <tbody>
        {checks.map((check) => (
          <tr key={check.checked_at}>
            <td className="num admin-when" title={absoluteTime(check.checked_at)}>
              {shortTime(check.checked_at)}
            </td>
            <td>
              <span className={`state ${check.outcome === "ok" ? "state-ready" : "state-failed"}`}>
                {check.outcome === "ok" ? words.good : checkWords(check.error_code, null)}
              </span>
            </td>
            <td className="num admin-right">
              {check.latency_ms === null ? "–" : strings.milliseconds(check.latency_ms)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
