import type { AdminHealth, Statistics } from "@safelight/contract";
import { bytesWords } from "../../../ui/figures.ts";
import { currentLanguage } from "../../../ui/language.ts";
import { useHealth } from "../data/health.ts";
import { useStatistics } from "../data/queue.ts";
import { Loaded } from "../loaded.tsx";
import { usualSpan } from "../search.ts";
import { SectionHead } from "../section-head.tsx";
import type { View } from "../use-view.ts";
import { strings } from "./strings.ts";

/** What lies on the disk, and how the parts of the server are. */
export function StorageSection({ view }: { view: View }) {
  const statistics = useStatistics(view.search.hours ?? usualSpan);
  const health = useHealth();
  const known = statistics.data?.storage;
  return (
    <section id="storage" aria-labelledby="storage-title" className="admin-section">
      <SectionHead id="storage-title" title={strings.title} note={known === undefined ? null : usedText(known)} />
      <Loaded query={statistics} loading={strings.loading} failed={strings.failed}>
        {({ storage }) => <Storage storage={storage} />}
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

function usedText({ media_bytes, database_bytes, free_bytes }: Statistics["storage"]): string {
  const used = bytesWords(media_bytes + database_bytes);
  return free_bytes === null ? strings.usedOnly(used) : strings.used(used, bytesWords(free_bytes));
}

function Storage({ storage }: { storage: Statistics["storage"] }) {
  const { media_bytes, media_files, database_bytes, free_bytes } = storage;
  const free = free_bytes === null ? strings.unknown : bytesWords(free_bytes);
  const facts: [string, string][] = [
    [strings.media, bytesWords(media_bytes)],
    [strings.files, strings.count(media_files)],
    [strings.database, bytesWords(database_bytes)],
    [strings.free, free],
  ];
  return (
    <>
      {/* The list below says the same in words. */}
      <div className="admin-store" aria-hidden="true">
        <i style={{ flexGrow: media_bytes, background: "var(--text)" }} />
        <i style={{ flexGrow: database_bytes, background: "var(--edge)" }} />
        {free_bytes === null ? null : <i style={{ flexGrow: free_bytes, background: "var(--line)" }} />}
      </div>
      <dl className="admin-list">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd className="num">{value}</dd>
          </div>
        ))}
      </dl>
    </>
  );
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
