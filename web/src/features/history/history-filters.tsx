import type { StudioModel } from "../../api/models.ts";
import { FilterChoice, FilterDay } from "../../ui/filter-fields.tsx";
import { localize } from "../../ui/language.ts";
import { type HistorySearch, narrowingOf } from "./search.ts";
import { strings } from "./strings.ts";

interface HistoryFiltersRowProps {
  search: HistorySearch;
  models: readonly StudioModel[];
  onSearch: (next: HistorySearch) => void;
}

type Filter = "model" | "type" | "mode" | "from" | "to";

/** The filters beside state and words. What can be chosen is what the catalog lists. */
export function HistoryFiltersRow({ search, models, onSearch }: HistoryFiltersRowProps) {
  const set = (filter: Filter, value: string) => onSearch(withFilter(search, filter, value));
  const chosen = search.model === undefined ? models : models.filter((model) => model.id === search.model);
  const modes = new Map(chosen.flatMap((model) => model.modes.map((mode) => [mode.id, localize(mode.label)])));
  return (
    <div className="history-filters">
      <FilterChoice
        label={strings.model}
        value={search.model}
        every={strings.everyModel}
        onChange={(id) => set("model", id)}
      >
        {models.map((model) => (
          <option key={model.id} value={model.id}>
            {model.name}
          </option>
        ))}
      </FilterChoice>
      <FilterChoice
        label={strings.type}
        value={search.type}
        every={strings.everyType}
        onChange={(type) => set("type", type)}
      >
        <option value="image">{strings.types.image}</option>
        <option value="video">{strings.types.video}</option>
      </FilterChoice>
      <FilterChoice
        label={strings.mode}
        value={search.mode}
        every={strings.everyMode}
        onChange={(mode) => set("mode", mode)}
      >
        {[...modes].map(([id, label]) => (
          <option key={id} value={id}>
            {label}
          </option>
        ))}
      </FilterChoice>
      <FilterDay label={strings.from} value={search.from} onChange={(day) => set("from", day)} />
      <FilterDay label={strings.to} value={search.to} onChange={(day) => set("to", day)} />
      {narrowingOf(search) > 0 ? (
        <button type="button" className="btn btn-quiet self-end" onClick={() => onSearch(withoutFilters(search))}>
          {strings.clear}
        </button>
      ) : null}
    </div>
  );
}

function withFilter(search: HistorySearch, filter: Filter, value: string): HistorySearch {
  const rest = { ...search };
  delete rest[filter];
  // A mode belongs to the models that have it.
  if (filter === "model") delete rest.mode;
  return value === "" ? rest : { ...rest, [filter]: value };
}

function withoutFilters({ status, q }: HistorySearch): HistorySearch {
  return { ...(status === undefined ? {} : { status }), ...(q === undefined ? {} : { q }) };
}
