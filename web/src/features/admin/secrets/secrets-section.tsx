import type { ApiKey, ApiKeys, Secret } from "@safelight/contract";
import { currentLanguage } from "../../../ui/language.ts";
import { absoluteDate, absoluteTime } from "../../../ui/time.ts";
import { useApiKeys, useSecrets } from "../data/secrets.ts";
import { Loaded } from "../loaded.tsx";
import { SectionHead } from "../section-head.tsx";
import { strings } from "./strings.ts";

/** How old the keys are and what has to be done about them; values are shown nowhere. */
export function SecretsSection() {
  const secrets = useSecrets();
  const keys = useApiKeys();
  const due = secrets.data?.secrets.filter(({ state }) => state !== "ok").length;
  return (
    <section id="secrets" aria-labelledby="secrets-title" className="admin-section">
      <SectionHead id="secrets-title" title={strings.title} note={due === undefined ? null : strings.note(due)} />
      <div className="admin-pair">
        <Loaded query={secrets} loading={strings.loading} failed={strings.failed}>
          {(all) => (
            <ul className="admin-parts">
              {all.secrets.map((secret) => (
                <SecretLine key={secret.name} secret={secret} />
              ))}
            </ul>
          )}
        </Loaded>
        <div>
          <h3 className="mb-2">{strings.keys}</h3>
          <Loaded query={keys} loading={strings.keysLoading} failed={strings.keysFailed}>
            {(all) => <KeyList keys={all.api_keys} />}
          </Loaded>
        </div>
      </div>
    </section>
  );
}

const marks = {
  ok: "state-ready",
  overdue: "state-waiting",
  waiting: "state-waiting",
  revoked: "state-failed",
} as const;

function SecretLine({ secret }: { secret: Secret }) {
  const { name, source, setting, state, age_days: age, former } = secret;
  const facts = [
    setting === null ? strings.sources[source] : `${setting}, ${strings.sources[source]}`,
    age === null ? strings.ageUnknown : strings.age(age),
    former.length > 0 ? strings.former(former.length) : null,
  ];
  const step = stepOf(secret);
  return (
    <li>
      <span className="wrap-anywhere">{secretName(name)}</span>
      <span className={`state ${marks[state]}`}>{strings.states[state]}</span>
      <p className="text-label text-faint num">{facts.filter((fact) => fact !== null).join(" · ")}</p>
      {step === null ? null : <p className="text-label text-warn">{step}</p>}
    </li>
  );
}

/** "Worker key: attic-gpu". */
function secretName(name: string): string {
  const [kind = name, ...workspace] = name.split(":");
  const words = strings.names[kind] ?? kind;
  return workspace.length === 0 ? words : `${words}: ${workspace.join(":")}`;
}

/** The server tells what to do in English, with the file's name; on another page it is told by the state. */
function stepOf({ name, setting, state, next_step: step }: Secret): string | null {
  if (step === null || currentLanguage() === "en") return step;
  const { steps } = strings;
  switch (state) {
    case "overdue":
      return steps.overdue(`safelight secrets rotate ${name}`);
    case "waiting":
      return setting === null ? steps.waitingHere : steps.waiting(setting);
    case "revoked":
      return steps.revoked(setting ?? name);
    case "ok":
      return step;
  }
}

/** Keys that count no longer are only counted: they stay known for the audit log's sake. */
function KeyList({ keys }: { keys: ApiKeys["api_keys"] }) {
  const active = keys.filter(({ state }) => state === "active");
  if (keys.length === 0) return <p className="text-soft">{strings.noKeys("safelight secrets create-key")}</p>;
  return (
    <>
      <ul className="admin-parts">
        {active.map((key) => (
          <KeyLine key={key.id} apiKey={key} />
        ))}
      </ul>
      {keys.length > active.length ? (
        <p className="mt-2 text-label text-faint num">{strings.older(keys.length - active.length)}</p>
      ) : null}
    </>
  );
}

function KeyLine({ apiKey }: { apiKey: ApiKey }) {
  const { name, scope, last_used_at: used, expires_at: end } = apiKey;
  const facts = [
    used === null ? strings.unused : strings.used(absoluteTime(used)),
    end === null ? null : strings.until(absoluteDate(end)),
  ];
  return (
    <li>
      <span className="wrap-anywhere">{name}</span>
      <span className="state state-ready">{strings.scopes[scope]}</span>
      <p className="text-label text-faint num">{facts.filter((fact) => fact !== null).join(" · ")}</p>
    </li>
  );
}
