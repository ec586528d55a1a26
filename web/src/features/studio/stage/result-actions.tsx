import {
  Clapperboard,
  Download,
  Ellipsis,
  ImagePlus,
  Images,
  type LucideIcon,
  RotateCcw,
  Shuffle,
  Star,
  StepBack,
  StepForward,
  Trash2,
  Undo2,
} from "lucide-react";
import { useRef } from "react";
import type { Task } from "../../../api/tasks.ts";
import { Menu, type MenuItem } from "../../../ui/menu.tsx";
import { phoneWidth, useMediaQuery } from "../../../ui/use-media-query.ts";
import { strings } from "./result-strings.ts";
import { type ResultDeeds, useResultActions } from "./use-result-actions.ts";

interface ResultActionsProps {
  task: Task;
  url: string;
  /** A task that was started from here. */
  onFollow: (taskId: string) => void;
}

/** What can be done with a result. Labels step back where the column is narrow; on a phone the rest is in the menu. */
export function ResultActions({ task, url, onFollow }: ResultActionsProps) {
  const save = useRef<HTMLAnchorElement>(null);
  const deeds = useResultActions(task, onFollow, () => save.current?.click());
  const phone = useMediaQuery(phoneWidth);
  const isImage = task.type === "image";
  return (
    <fieldset className="result-actions" aria-label={strings.result}>
      <Act icon={Undo2} label={strings.use} keys="U" kept onPress={() => deeds.takeAs("settings")} />
      <Act icon={Shuffle} label={strings.vary} keys="V" onPress={deeds.vary} />
      {isImage && !phone ? (
        <Act
          icon={Clapperboard}
          label={strings.animate}
          title={strings.animateLong}
          onPress={() => deeds.takeAs("animate")}
        />
      ) : null}
      <Act icon={ImagePlus} label={strings.reference} keys="R" onPress={() => deeds.takeAs("reference")} />
      <span className="result-gap" />
      {phone ? null : <Marks deeds={deeds} />}
      <Menu label={strings.more} className="icon-btn icon-btn-small" groups={menuOf(task, url, deeds, phone)}>
        <Ellipsis className="icon" aria-hidden="true" />
      </Menu>
      <a ref={save} className="btn btn-small" href={`${url}?download=1`} download title={`${strings.download} (D)`}>
        <Download className="icon" aria-hidden="true" />
        <span className="result-label">{strings.download}</span>
      </a>
    </fieldset>
  );
}

function Marks({ deeds }: { deeds: ResultDeeds }) {
  const label = deeds.favourite ? strings.unfavourite : strings.favourite;
  return (
    <>
      <button
        type="button"
        className="icon-btn icon-btn-small"
        aria-label={strings.favourite}
        title={label}
        aria-pressed={deeds.favourite}
        onClick={deeds.toggleFavourite}
      >
        <Star className={`icon ${deeds.favourite ? "icon-full" : ""}`} aria-hidden="true" />
      </button>
      <button
        type="button"
        className="icon-btn icon-btn-small"
        aria-label={strings.remove}
        title={`${strings.remove} (Del)`}
        onClick={deeds.remove}
      >
        <Trash2 className="icon" aria-hidden="true" />
      </button>
    </>
  );
}

interface ActProps {
  icon: LucideIcon;
  label: string;
  title?: string;
  keys?: string;
  /** Keeps its label where there is little room. */
  kept?: boolean;
  onPress: () => void;
}

function Act({ icon: Icon, label, title = label, keys, kept = false, onPress }: ActProps) {
  return (
    <button
      type="button"
      className={`btn btn-small ${kept ? "result-kept" : ""}`}
      title={keys === undefined ? title : `${title} (${keys})`}
      onClick={onPress}
    >
      <Icon className="icon" aria-hidden="true" />
      <span className={kept ? "" : "result-label"}>{label}</span>
    </button>
  );
}

function menuOf(task: Task, url: string, deeds: ResultDeeds, phone: boolean): readonly (readonly MenuItem[])[] {
  const isImage = task.type === "image";
  const frames: MenuItem[] = isImage
    ? [
        { label: strings.asFirst, icon: StepBack, run: () => deeds.takeAs("first") },
        { label: strings.asLast, icon: StepForward, run: () => deeds.takeAs("last") },
      ]
    : [];
  const animate: MenuItem = { label: strings.animateLong, icon: Clapperboard, run: () => deeds.takeAs("animate") };
  const mark: MenuItem = {
    label: deeds.favourite ? strings.unfavourite : strings.favourite,
    icon: Star,
    run: deeds.toggleFavourite,
  };
  return [
    [
      ...(phone && isImage ? [animate] : []),
      ...frames,
      { label: strings.sameAgain, icon: RotateCcw, run: deeds.runAgain },
    ],
    [
      ...(phone ? [mark] : []),
      { label: strings.openInGallery, icon: Images, href: `/gallery?item=${task.id}` },
      { label: strings.downloadPlain, icon: Download, href: `${url}?download=1&metadata=0` },
    ],
    phone ? [{ label: strings.remove, icon: Trash2, danger: true, run: deeds.remove }] : [],
  ];
}
