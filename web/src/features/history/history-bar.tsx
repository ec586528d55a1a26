import { Search, SlidersHorizontal } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import type { Count, Counts } from "../../api/history.ts";
import type { StudioModel } from "../../api/models.ts";
import { formatNumber } from "../../ui/language.ts";
import { useShortcuts } from "../../ui/shortcuts.ts";
import { HistoryFiltersRow } from "./history-filters.tsx";
import { type HistorySearch, narrowingOf } from "./search.ts";
import { strings } from "./strings.ts";

interface HistoryBarProps {
  search: HistorySearch;
  counts: Counts | null;
  models: readonly StudioModel[];
  onSearch: (next: HistorySearch) => void;
}

const states = [undefined, "processing", "pending", "done", "failed"] as const;
/** Typing rests this long, in milliseconds, before the server is asked. */
const typingPause = 250;

/** Title, states with their counts, search and filters. */
export function HistoryBar({ search, counts, models, onSearch }: HistoryBarProps) {
  const narrowing = narrowingOf(search);
  const [filtersOpen, setFiltersOpen] = useState(narrowing > 0);
  return (
    <>
      <div className="history-head">
        <h1>{strings.title}</h1>
        <fieldset className="history-states" aria-label={strings.state}>
          {states.map((status) => (
            <button
              key={status ?? "all"}
              type="button"
              aria-pressed={search.status === status}
              onClick={() => onSearch(withState(search, status))}
            >
              {strings.states[status ?? "all"]}{" "}
              <span className="num font-normal text-faint">{counts && countText(countOf(counts, status))}</span>
            </button>
          ))}
        </fieldset>
        <SearchField search={search} onSearch={onSearch} />
        <button type="button" className="btn" aria-expanded={filtersOpen} onClick={() => setFiltersOpen(!filtersOpen)}>
          <SlidersHorizontal className="icon" aria-hidden="true" />
          {strings.filters}
          {narrowing > 0 ? <span className="num text-faint">{formatNumber(narrowing)}</span> : null}
        </button>
      </div>
      {filtersOpen ? <HistoryFiltersRow search={search} models={models} onSearch={onSearch} /> : null}
    </>
  );
}

function withState({ status: _before, ...rest }: HistorySearch, status: HistorySearch["status"]): HistorySearch {
  return status === undefined ? rest : { ...rest, status };
}

function countOf(counts: Counts, status: HistorySearch["status"]): Count {
  if (status !== undefined) return counts[status];
  const all = Object.values(counts);
  return { count: all.reduce((sum, { count }) => sum + count, 0), exact: all.every(({ exact }) => exact) };
}

function countText({ count, exact }: Count): string {
  return exact ? formatNumber(count) : strings.atLeast(count);
}

function SearchField({ search, onSearch }: Pick<HistoryBarProps, "search" | "onSearch">) {
  const field = useRef<HTMLInputElement>(null);
  const [typed, setTyped] = useState(search.q ?? "");
  const [asked, setAsked] = useState(search.q);
  if (search.q !== asked) {
    // The address changed from elsewhere: back, a link, cleared filters.
    setAsked(search.q);
    if ((search.q ?? "") !== typed.trim()) setTyped(search.q ?? "");
  }
  useEffect(() => {
    if (typed.trim() === (search.q ?? "").trim()) return;
    const timer = setTimeout(() => {
      const { q: _before, ...rest } = search;
      onSearch(typed.trim() === "" ? rest : { ...rest, q: typed });
    }, typingPause);
    return () => clearTimeout(timer);
  }, [typed, search, onSearch]);
  useShortcuts(strings.title, { "/": { label: strings.search, run: () => field.current?.focus() } });
  return (
    <div className="history-search">
      <Search className="icon" aria-hidden="true" />
      <input
        ref={field}
        className="input"
        type="search"
        aria-label={strings.search}
        placeholder={strings.search}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
      />
    </div>
  );
}
