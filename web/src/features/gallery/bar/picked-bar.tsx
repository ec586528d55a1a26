import { Download, Star, StarOff, Trash2, X } from "lucide-react";
import type { GalleryItem, Total } from "../../../api/gallery.ts";
import { bytesWords } from "../../../ui/figures.ts";
import { countText } from "../item-words.ts";
import { isEmpty, type Selection } from "../selection.ts";
import { strings } from "../strings.ts";

interface PickedBarProps {
  selection: Selection;
  items: readonly GalleryItem[];
  total: Total | null;
  onSelectAll: () => void;
  onFavourite: (favourite: boolean) => void;
  onZip: () => void;
  onDelete: () => void;
  onClear: () => void;
}

/** What can be done with the chosen pictures; there as long as any are chosen. */
export function PickedBar({ selection, items, total, ...actions }: PickedBarProps) {
  if (isEmpty(selection)) return null;
  const picked = items.filter((item) => selection.ids.has(item.id));
  const count = selection.all && total !== null ? total : { count: selection.ids.size, exact: true };
  const bytes = selection.all ? null : picked.reduce((sum, item) => sum + (item.result_bytes ?? 0), 0);
  const areFavourites = picked.length > 0 && picked.every((item) => item.favourite);
  const zip = bytes === null || bytes === 0 ? strings.zip : strings.zipOf(bytesWords(bytes));
  const more = total !== null && !selection.all && count.count < total.count;
  return (
    <div className="picked" role="toolbar" aria-label={strings.selection}>
      <output className="picked-count num">{strings.selected(count.count, count.exact)}</output>
      {more ? (
        <button type="button" className="btn btn-quiet btn-small picked-all" onClick={actions.onSelectAll}>
          {strings.selectAll(countText(total.count, total.exact))}
        </button>
      ) : null}
      {selection.all ? null : (
        <PickedButton
          icon={areFavourites ? StarOff : Star}
          label={areFavourites ? strings.removeFavourite : strings.addFavourite}
          onClick={() => actions.onFavourite(!areFavourites)}
        />
      )}
      <PickedButton icon={Download} label={zip} onClick={actions.onZip} />
      <PickedButton icon={Trash2} label={strings.delete} danger onClick={actions.onDelete} />
      <button
        type="button"
        className="icon-btn icon-btn-small"
        aria-label={strings.clearSelection}
        title={strings.clearSelection}
        onClick={actions.onClear}
      >
        <X className="icon" aria-hidden="true" />
      </button>
    </div>
  );
}

interface PickedButtonProps {
  icon: typeof Star;
  label: string;
  danger?: boolean;
  onClick: () => void;
}

function PickedButton({ icon: Icon, label, danger = false, onClick }: PickedButtonProps) {
  return (
    <button type="button" className={`btn btn-small${danger ? " picked-danger" : ""}`} title={label} onClick={onClick}>
      <Icon className="icon" aria-hidden="true" />
      <span className="picked-label">{label}</span>
    </button>
  );
}
