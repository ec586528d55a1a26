/* oxlint-disable jsx-a11y/prefer-tag-over-role -- rows that are placed one by one make no table */
import type { GalleryItem } from "../../../api/gallery.ts";
import { isSelected, type Selection } from "../selection.ts";
import { Cell, type CellActions } from "./cell.tsx";
import { DayHeading } from "./day-heading.tsx";
import { countOfDay, type Sheet } from "./sheet.ts";

interface GridRowProps {
  sheet: Sheet<GalleryItem>;
  index: number;
  complete: boolean;
  selection: Selection;
  /** Index of the one picture that Tab leads to. */
  current: number;
  playing: string | null;
  models: ReadonlyMap<string, string>;
  actions: CellActions;
}

/** A heading or a row of pictures, at its place on the sheet. */
export function GridRow({ sheet, index, complete, selection, current, playing, models, actions }: GridRowProps) {
  const row = sheet.rows[index];
  if (row === undefined) return null;
  const style = { transform: `translateY(${row.top}px)`, height: row.height };
  if (row.kind === "day") {
    return (
      <div role="row" aria-rowindex={index + 1} className="sheet-day" style={style}>
        <DayHeading date={sheet.days[row.day]?.date ?? ""} count={countOfDay(sheet, row.day, complete)} />
      </div>
    );
  }
  return (
    <div role="row" aria-rowindex={index + 1} className="sheet-row" style={{ ...style, gap: sheet.rules.gap }}>
      {row.widths.map((width, offset) => {
        const item = sheet.prints[row.first + offset];
        if (item === undefined) return null;
        return (
          <Cell
            key={item.id}
            item={item}
            index={row.first + offset}
            width={width}
            selected={isSelected(selection, item.id)}
            current={row.first + offset === current}
            playing={playing === item.id}
            models={models}
            actions={actions}
          />
        );
      })}
    </div>
  );
}
