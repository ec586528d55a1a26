import { FilterChoice, FilterDay } from "../../../ui/filter-fields.tsx";
import { type AdminSearch, actors, outcomes } from "../search.ts";
import { actionWords, knownActions } from "./action-words.ts";
import { strings } from "./strings.ts";

interface AuditFiltersProps {
  search: AdminSearch;
  /** Actions seen in the log that this page does not know. */
  seen: readonly string[];
  onChange: (next: (before: AdminSearch) => AdminSearch) => void;
}

type Filter = "action" | "actor" | "outcome" | "from" | "to";
const filterNames: readonly Filter[] = ["action", "actor", "outcome", "from", "to"];

/** What the audit log is narrowed down by; all of it stands in the address. */
export function AuditFilters({ search, seen, onChange }: AuditFiltersProps) {
  const set = (filter: Filter, value: string) => onChange((before) => withFilter(before, filter, value));
  const names = new Set([...knownActions, ...seen, ...(search.action === undefined ? [] : [search.action])]);
  const actions = [...names]
    .map((action) => ({ action, words: actionWords(action) }))
    .toSorted((a, b) => a.words.localeCompare(b.words));
  const isNarrowed = filterNames.some((filter) => search[filter] !== undefined);
  return (
    <fieldset className="admin-filters" aria-label={strings.filters}>
      <FilterChoice
        label={strings.action}
        value={search.action}
        every={strings.everyAction}
        onChange={(it) => set("action", it)}
      >
        {actions.map(({ action, words }) => (
          <option key={action} value={action}>
            {words}
          </option>
        ))}
      </FilterChoice>
      <FilterChoice
        label={strings.actor}
        value={search.actor}
        every={strings.everyActor}
        onChange={(it) => set("actor", it)}
      >
        {actors.map((actor) => (
          <option key={actor} value={actor}>
            {strings.actors[actor]}
          </option>
        ))}
      </FilterChoice>
      <FilterChoice
        label={strings.outcome}
        value={search.outcome}
        every={strings.everyOutcome}
        onChange={(it) => set("outcome", it)}
      >
        {outcomes.map((outcome) => (
          <option key={outcome} value={outcome}>
            {strings.outcomes[outcome]}
          </option>
        ))}
      </FilterChoice>
      <FilterDay label={strings.from} value={search.from} onChange={(it) => set("from", it)} />
      <FilterDay label={strings.to} value={search.to} onChange={(it) => set("to", it)} />
      <label className="check items-center self-end">
        <input
          type="checkbox"
          checked={search.reads === "shown"}
          onChange={(event) => onChange((before) => withReads(before, event.target.checked))}
        />
        <span>{strings.reads}</span>
      </label>
      {isNarrowed ? (
        <button type="button" className="btn btn-quiet self-end" onClick={() => onChange(withoutFilters)}>
          {strings.clear}
        </button>
      ) : null}
    </fieldset>
  );
}

function withFilter(before: AdminSearch, filter: Filter, value: string): AdminSearch {
  const { [filter]: _gone, ...rest } = before;
  return value === "" ? rest : { ...rest, [filter]: value };
}

function withReads({ reads: _before, ...rest }: AdminSearch, shown: boolean): AdminSearch {
  return shown ? { ...rest, reads: "shown" } : rest;
}

function withoutFilters({ action: _a, actor: _b, outcome: _c, from: _d, to: _e, ...rest }: AdminSearch): AdminSearch {
  return rest;
}
