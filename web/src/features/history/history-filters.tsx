import { type ReactNode, useId } from "react";
import type { StudioModel } from "../../api/models.ts";
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
      <Choice label={strings.model} value={search.model} every={strings.everyModel} onChange={(id) => set("model", id)}>
        {models.map((model) => (
          <option key={model.id} value={model.id}>
            {model.name}
          </option>
        ))}
      </Choice>
      <Choice label={strings.type} value={search.type} every={strings.everyType} onChange={(type) => set("type", type)}>
        <option value="image">{strings.types.image}</option>
        <option value="video">{strings.types.video}</option>
      </Choice>
      <Choice label={strings.mode} value={search.mode} every={strings.everyMode} onChange={(mode) => set("mode", mode)}>
        {[...modes].map(([id, label]) => (
          <option key={id} value={id}>
            {label}
          </option>
        ))}
      </Choice>
      <Day label={strings.from} value={search.from} onChange={(day) => set("from", day)} />
      <Day label={strings.to} value={search.to} onChange={(day) => set("to", day)} />
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

interface ChoiceProps {
  label: string;
  value: string | undefined;
  every: string;
  onChange: (value: string) => void;
  children: ReactNode;
}

function Choice({ label, value, every, onChange, children }: ChoiceProps) {
  const id = useId();
  return (
    <div className="history-filter">
      <label htmlFor={id}>{label}</label>
      <select id={id} className="input" value={value ?? ""} onChange={(event) => onChange(event.target.value)}>
        <option value="">{every}</option>
        {children}
      </select>
    </div>
  );
}

function Day({ label, value, onChange }: Pick<ChoiceProps, "label" | "value" | "onChange">) {
  const id = useId();
  return (
    <div className="history-filter">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        className="input"
        type="date"
        value={value ?? ""}
        onChange={(event) => onChange(event.target.value)}
      />
    </div>
  );
}
