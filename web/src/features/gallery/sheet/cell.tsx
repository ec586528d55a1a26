/* oxlint-disable jsx-a11y/prefer-tag-over-role -- rows that are placed one by one make no table */
import { FileX, ImageOff, Play, Star } from "lucide-react";
import { type MouseEvent, memo, useState } from "react";
import type { GalleryItem } from "../../../api/gallery.ts";
import { Still } from "../../../ui/still.tsx";
import { cellExtras, clipSeconds, modelName, secondsText, shortPrompt } from "../item-words.ts";
import { strings } from "../strings.ts";

/** What can be done to a cell; one object for all, which never changes. */
export interface CellActions {
  readonly open: (id: string) => void;
  readonly toggle: (id: string) => void;
  readonly extend: (id: string) => void;
  readonly settle: (id: string) => void;
  readonly enter: (id: string) => void;
  readonly leave: () => void;
}

interface CellProps {
  item: GalleryItem;
  index: number;
  width: number;
  selected: boolean;
  /** The one cell that Tab leads to. */
  current: boolean;
  playing: boolean;
  models: ReadonlyMap<string, string>;
  actions: CellActions;
}

/** One picture of the grid. Drawn again only when something of its own changes. */
export const Cell = memo(function Cell({ item, index, width, selected, current, playing, models, actions }: CellProps) {
  const seconds = clipSeconds(item);
  const tab = current ? 0 : -1;
  const press = (event: MouseEvent) => {
    if (event.shiftKey) actions.extend(item.id);
    else if (event.ctrlKey || event.metaKey) actions.toggle(item.id);
    else actions.open(item.id);
  };
  return (
    <div
      role="gridcell"
      aria-selected={selected}
      className={`cell${selected ? " cell-on" : ""}${item.result_missing ? " cell-gone" : ""}`}
      style={{ width }}
      data-print={item.id}
      data-index={index}
      onPointerEnter={(event) => {
        if (event.pointerType === "mouse" && item.type === "video" && !item.result_missing) actions.enter(item.id);
      }}
      onPointerLeave={actions.leave}
    >
      <button
        type="button"
        className="cell-open"
        tabIndex={tab}
        onClick={press}
        onFocus={() => actions.settle(item.id)}
      >
        <Picture item={item} playing={playing} />
        {/* The caption is the name: what is seen and what is heard are the same words. */}
        <span className="cell-caption">
          <span className="cell-prompt" dir="auto">
            {item.result_missing ? <span className="visually-hidden">{strings.fileGone}: </span> : null}
            {shortPrompt(item.prompt)}
          </span>
          <span className="visually-hidden">, </span>
          <span className="cell-meta">
            {modelName(item, models)}
            {seconds === null ? "" : `, ${secondsText(seconds)}`}
          </span>
          <span className="visually-hidden">{cellExtras(item)}</span>
        </span>
      </button>
      {seconds === null || item.result_missing ? null : (
        <span className="cell-length" aria-hidden="true">
          <Play className="icon-small" />
          {secondsText(seconds)}
        </span>
      )}
      {item.favourite ? (
        <span className="cell-favourite" aria-hidden="true">
          <Star className="icon-small" />
        </span>
      ) : null}
      <label className="cell-pick">
        <input
          type="checkbox"
          checked={selected}
          tabIndex={tab}
          aria-label={strings.select(shortPrompt(item.prompt))}
          onChange={(event) => {
            const press = event.nativeEvent;
            if ("shiftKey" in press && press.shiftKey) actions.extend(item.id);
            else actions.toggle(item.id);
          }}
        />
      </label>
    </div>
  );
});

function Picture({ item, playing }: { item: GalleryItem; playing: boolean }) {
  const [broken, setBroken] = useState<string | null>(null);
  const url = item.thumbnail_url;
  if (item.result_missing) {
    return (
      <span className="cell-blank" aria-hidden="true">
        <FileX className="icon" />
        {strings.fileGone}
      </span>
    );
  }
  return (
    <>
      {url === null || broken === url ? (
        <span className="cell-blank" aria-hidden="true">
          <ImageOff className="icon" />
          {strings.noPicture}
        </span>
      ) : (
        <Still src={url} alt="" draggable={false} decoding="async" onBroken={() => setBroken(url)} />
      )}
      {playing ? (
        <video
          src={item.result_url}
          muted
          loop
          autoPlay
          playsInline
          tabIndex={-1}
          aria-hidden="true"
          disablePictureInPicture
        />
      ) : null}
    </>
  );
}
