import { ArrowUp, Download, Ellipsis, Trash2, X } from "lucide-react";
import type { Total } from "../../../api/gallery.ts";
import type { StudioModel } from "../../../api/models.ts";
import { localize } from "../../../ui/language.ts";
import { Menu } from "../../../ui/menu.tsx";
import { absoluteDate } from "../../../ui/time.ts";
import { countText } from "../item-words.ts";
import { type GallerySearch, isSpan, type Narrowing, narrowed } from "../search.ts";
import { strings } from "../strings.ts";
import type { Change } from "./filters.tsx";

interface TallyProps {
  search: GallerySearch;
  models: readonly StudioModel[];
  /** How many match; null until known. */
  total: Total | null;
  /** How many there are in all, where filters leave some out. */
  all: Total | null;
  fresh: number;
  onFresh: () => void;
  onChange: Change;
  onClear: () => void;
  onZipAll: () => void;
  onDeleteAll: () => void;
}

/** How many pictures there are, which filters say so, and what can be done with all of them. */
export function Tally(props: TallyProps) {
  const { search, models, total, all, fresh, onChange } = props;
  const active = narrowed(search);
  const count = total === null ? null : countText(total.count, total.exact);
  return (
    <div className="tally">
      <output className="tally-count num">
        {total === null
          ? ""
          : all === null || active.length === 0
            ? strings.counted(total.count, total.exact)
            : strings.countedOf(count ?? "", countText(all.count, all.exact))}
      </output>
      {active.map((key) => (
        <Chip key={key} text={chipText(key, search, models)} onRemove={() => onChange({ [key]: undefined })} />
      ))}
      {active.length === 0 ? null : (
        <button type="button" className="btn btn-quiet btn-small" onClick={props.onClear}>
          {strings.clearFilters}
        </button>
      )}
      {fresh === 0 ? null : (
        <button type="button" className="btn btn-small" aria-label={strings.freshLong(fresh)} onClick={props.onFresh}>
          <ArrowUp className="icon" aria-hidden="true" />
          {strings.fresh(fresh)}
        </button>
      )}
      {total === null || total.count === 0 ? null : (
        <div className="tally-more">
          <Menu
            label={strings.more}
            className="icon-btn icon-btn-small"
            groups={[
              [{ label: strings.zipAll(count ?? ""), icon: Download, run: props.onZipAll }],
              [{ label: strings.deleteAll(count ?? ""), icon: Trash2, danger: true, run: props.onDeleteAll }],
            ]}
          >
            <Ellipsis className="icon" aria-hidden="true" />
          </Menu>
        </div>
      )}
    </div>
  );
}

function Chip({ text, onRemove }: { text: string; onRemove: () => void }) {
  return (
    <button type="button" className="chip gap-1" aria-label={strings.removeFilter(text)} onClick={onRemove}>
      <span className="truncate max-w-48" dir="auto">
        {text}
      </span>
      <X className="icon-small" aria-hidden="true" />
    </button>
  );
}

function chipText(key: Narrowing, search: GallerySearch, models: readonly StudioModel[]): string {
  const value = String(search[key] ?? "");
  switch (key) {
    case "model":
      return models.find((model) => model.id === value)?.name ?? value;
    case "mode": {
      const mode = models.flatMap((model) => model.modes).find((candidate) => candidate.id === value);
      return mode === undefined ? value : localize(mode.label);
    }
    case "type":
      return strings.types[search.type ?? "all"];
    case "q":
      return strings.quoted(value);
    case "from":
      return isSpan(value) ? strings.spans[value] : strings.since(dayText(value));
    case "to":
      return strings.until(dayText(value));
    case "favourite":
      return strings.favourites;
  }
}

function dayText(day: string): string {
  return absoluteDate(`${day}T12:00:00`);
}
