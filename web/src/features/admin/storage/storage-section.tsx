import type { AdminHealth, Storage } from "@safelight/contract";
import { TriangleAlert } from "lucide-react";
import { bytesWords } from "../../../ui/figures.ts";
import { currentLanguage } from "../../../ui/language.ts";
import { absoluteTime } from "../../../ui/time.ts";
import { useHealth } from "../data/health.ts";
import { useStorage } from "../data/storage.ts";
import { Loaded } from "../loaded.tsx";
import { SectionHead } from "../section-head.tsx";
import { strings } from "./strings.ts";

/** What lies on the disk, what is removed by itself, and how the parts of the server are. */
export function StorageSection() {
  const storage = useStorage();
  const health = useHealth();
  const known = storage.data;
  return (
    <section id="storage" aria-labelledby="storage-title" className="admin-section">
      <SectionHead id="storage-title" title={strings.title} note={known === undefined ? null : usedText(known)} />
      <Loaded query={storage} loading={strings.loading} failed={strings.failed}>
        {(now) => <Room storage={now} />}
      </Loaded>
      <h3 className="mt-6 mb-2">{strings.parts}</h3>
      <Loaded query={health} loading={strings.partsLoading} failed={strings.partsFailed}>
        {({ parts }) => (
          <ul className="admin-parts">
            {parts.map((part) => (
              <Part key={part.name} part={part} />
            ))}
          </ul>
        )}
      </Loaded>
    </section>
  );
}

function usedText({ media_bytes, database_bytes, free_bytes }: Storage): string {
  const used = bytesWords(media_bytes + database_bytes);
  return free_bytes === null ? strings.usedOnly(used) : strings.used(used, bytesWords(free_bytes));
}

function Room({ storage }: { storage: Storage }) {
  const { short_of, media_bytes, database_bytes, free_bytes } = storage;
  return (
    <>
      {short_of === null ? null : (
        <output className="admin-paused">
          <TriangleAlert className="icon" aria-hidden="true" />
          <span>{strings.refused[short_of]}</span>
        </output>
      )}
      {/* The list below says the same in words. */}
      <div className="admin-store" aria-hidden="true">
        <i style={{ flexGrow: media_bytes, background: "var(--text)" }} />
        <i style={{ flexGrow: database_bytes, background: "var(--edge)" }} />
        {free_bytes === null ? null : <i style={{ flexGrow: free_bytes, background: "var(--line)" }} />}
      </div>
      <dl className="admin-list">
        {[...spaceFacts(storage), ...removalFacts(storage)].map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className="num">{value}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

type Facts = readonly (readonly [name: string, value: string])[];

function spaceFacts(storage: Storage): Facts {
  const { media_bytes, media_files, database_bytes, free_bytes, reserve_bytes, expected_bytes } = storage;
  return [
    [strings.media, bytesWords(media_bytes)],
    [strings.files, strings.count(media_files)],
    [strings.database, bytesWords(database_bytes)],
    [strings.free, free_bytes === null ? strings.unknown : bytesWords(free_bytes)],
    [strings.reserve, bytesWords(reserve_bytes)],
    [strings.expected, bytesWords(expected_bytes)],
  ];
}

function removalFacts(storage: Storage): Facts {
  const { quota_bytes, over_quota, retention_days, favourites, next_removal: next, last_removal: last } = storage;
  const facts: Facts = [
    [strings.quota, quota_bytes === null ? strings.noQuota : strings.overQuota[over_quota](bytesWords(quota_bytes))],
    [strings.retention, retention_days === null ? strings.forever : strings.days(retention_days)],
    [strings.favourites, strings.counted(favourites.tasks, bytesWords(favourites.bytes))],
  ];
  const removals: Facts = [
    ...(next === null
      ? []
      : ([
          [
            strings.nextRemoval,
            strings.reasons[next.reason](next.at === null ? strings.atOnce : absoluteTime(next.at)),
          ],
        ] as const)),
    ...(last === null
      ? []
      : ([
          [
            strings.lastRemoval,
            strings.removed(last.tasks, bytesWords(last.bytes), strings.reasons[last.reason](absoluteTime(last.at))),
          ],
        ] as const)),
  ];
  return [...facts, ...removals];
}

const marks = { ok: "state-ready", degraded: "state-waiting", failed: "state-failed" } as const;

/** The server tells details in English; on another page they stand only where something is wrong. */
function Part({ part: { name, state, detail } }: { part: AdminHealth["parts"][number] }) {
  const known: unknown = Reflect.get(strings.names, name);
  const isShown = currentLanguage() === "en" || state !== "ok";
  return (
    <li>
      <span>{typeof known === "string" ? known : name}</span>
      <span className={`state ${marks[state]}`}>{strings.states[state]}</span>
      {isShown ? <p className="text-label text-faint">{detail}</p> : null}
    </li>
  );
}
