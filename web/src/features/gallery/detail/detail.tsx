/* oxlint-disable jsx-a11y/prefer-tag-over-role -- a native modal dialog shuts off the toasts and their way back */
import { ArrowLeft, ChevronLeft, ChevronRight, ImageOff } from "lucide-react";
import { type ReactNode, useContext, useEffect, useRef } from "react";
import type { GalleryItem } from "../../../api/gallery.ts";
import type { StudioModel } from "../../../api/models.ts";
import { useResubmit } from "../../../api/resubmit.ts";
import { useTask } from "../../../api/tasks.ts";
import { EmptyState } from "../../../ui/empty-state.tsx";
import { Ghost, GhostArea } from "../../../ui/ghost.tsx";
import { formatNumber } from "../../../ui/language.ts";
import { useShortcuts } from "../../../ui/shortcuts.ts";
import { showToast } from "../../../ui/toast-store.ts";
import { Viewer } from "../../../ui/viewer/viewer.tsx";
import { countText, shortPrompt } from "../item-words.ts";
import { LeaveContext, PageAnchor } from "../leave.tsx";
import { GalleryProblem } from "../states.tsx";
import { strings } from "../strings.ts";
import type { GalleryList } from "../use-gallery-list.ts";
import { DetailActions } from "./detail-actions.tsx";
import { RecipePanel } from "./recipe-panel.tsx";
import { useDetailActions } from "./use-detail-actions.ts";
import { useOnlyThis } from "./use-only-this.ts";

interface DetailProps {
  id: string;
  list: GalleryList;
  models: readonly StudioModel[];
  onGo: (id: string) => void;
  /** Closes the view; the id is the picture to come back to. */
  onClose: (id: string | null) => void;
}

/** One picture and its recipe above everything else; the arrows go through the filtered list. */
export function Detail({ id, list, models, onGo, onClose }: DetailProps) {
  const frame = useRef<HTMLDivElement>(null);
  const index = list.items.findIndex((item) => item.id === id);
  const listed = list.items[index];
  const task = useTask(listed === undefined && !list.isPending ? id : null);
  useOnlyThis(frame);
  useMovingOn({ id, index, list, onGo, onClose });
  const step = useSteps({ index, list, onGo });
  const shown = listed ?? (list.hidden.has(id) ? null : shownTask(task.data));
  const close = () => onClose(id);
  useShortcuts(strings.keys.detail, {
    Escape: { label: strings.detail.close, run: close },
    ArrowLeft: { label: strings.detail.newer, run: step.back ?? nothing },
    ArrowRight: { label: strings.detail.older, run: step.on ?? nothing },
  });
  return (
    <div ref={frame} className="detail" role="dialog" aria-modal="true" aria-label={strings.detail.title} tabIndex={-1}>
      {shown ? (
        <OpenPicture item={shown} models={models} bar={<Bar index={index} list={list} onClose={close} />} step={step} />
      ) : (
        <div className="detail-other">
          <div className="detail-bar">
            <Bar index={index} list={list} onClose={close} />
          </div>
          <Absent task={task} listPending={list.isPending} />
        </div>
      )}
    </div>
  );
}

function nothing(): void {}

interface OpenPictureProps {
  item: GalleryItem;
  models: readonly StudioModel[];
  bar: ReactNode;
  step: Steps;
}

function OpenPicture({ item, models, bar, step }: OpenPictureProps) {
  const leave = useContext(LeaveContext);
  const resubmit = useResubmit((taskId) => leave(`/?task=${encodeURIComponent(taskId)}`));
  const actions = useDetailActions(item, resubmit, leave);
  return (
    <>
      <div className="detail-stage">
        {item.result_missing ? (
          <>
            <div className="detail-bar">{bar}</div>
            <EmptyState icon={ImageOff} title={strings.fileGone} text={strings.detail.missing} />
          </>
        ) : (
          <Viewer media={mediaOf(item)} toolbar={bar} />
        )}
        <SideButton side="start" label={strings.detail.newer} onPress={step.back} />
        <SideButton side="end" label={strings.detail.older} onPress={step.on} />
      </div>
      <aside className="detail-recipe" aria-label={strings.detail.recipe}>
        <RecipePanel key={item.id} item={item} models={models} actions={actions} />
        <DetailActions item={item} actions={actions} />
      </aside>
    </>
  );
}

function SideButton({ side, label, onPress }: { side: "start" | "end"; label: string; onPress: (() => void) | null }) {
  if (onPress === null) return null;
  const Icon = side === "start" ? ChevronLeft : ChevronRight;
  return (
    <button
      type="button"
      className={`icon-btn detail-side detail-side-${side}`}
      aria-label={label}
      title={label}
      onClick={onPress}
    >
      <Icon className="icon" aria-hidden="true" />
    </button>
  );
}

function Bar({ index, list, onClose }: { index: number; list: GalleryList; onClose: () => void }) {
  const { total } = list;
  return (
    <>
      <button
        type="button"
        className="icon-btn"
        aria-label={strings.detail.back}
        title={strings.detail.back}
        onClick={onClose}
      >
        <ArrowLeft className="icon" aria-hidden="true" />
      </button>
      {index < 0 || total === null ? null : (
        <span className="num text-label text-soft">
          {strings.detail.position(formatNumber(index + 1), countText(total.count, total.exact))}
        </span>
      )}
    </>
  );
}

interface AbsentProps {
  task: ReturnType<typeof useTask>;
  listPending: boolean;
}

/** What stands there when there is no picture: it is on its way, there is none, or it is not done. */
function Absent({ task, listPending }: AbsentProps) {
  if (task.error) return <GalleryProblem error={task.error} onRetry={() => void task.refetch()} />;
  if (listPending || task.isPending) {
    return (
      <GhostArea label={strings.detail.loading} className="detail-ghost">
        <Ghost className="aspect-square w-[min(60%,28rem)]" />
      </GhostArea>
    );
  }
  if (!task.data) {
    return <EmptyState icon={ImageOff} title={strings.detail.unknown} text={strings.detail.unknownText} />;
  }
  return (
    <EmptyState icon={ImageOff} title={strings.detail.notDone} text={strings.detail.notDoneText}>
      <PageAnchor className="btn btn-primary" href={`/?task=${encodeURIComponent(task.data.id)}`}>
        {strings.detail.showInStudio}
      </PageAnchor>
    </EmptyState>
  );
}

/** A task that is done, as the gallery would list it; null for any other. */
function shownTask(task: ReturnType<typeof useTask>["data"]): GalleryItem | null {
  if (!task || task.status !== "done" || task.result_url === null || task.finished_at === null) return null;
  return { ...task, result_url: task.result_url, finished_at: task.finished_at };
}

function mediaOf(item: GalleryItem) {
  const shared = {
    url: item.result_url,
    width: item.width,
    height: item.height,
    pixelated: item.engine === "sketch",
    alt: strings.detail.alt(shortPrompt(item.prompt)),
    version: item.finished_at,
  };
  if (item.type === "image") return { ...shared, kind: "image" as const };
  return { ...shared, kind: "video" as const, poster: item.thumbnail_url, fps: item.fps, frames: item.frames };
}

interface Steps {
  back: (() => void) | null;
  on: (() => void) | null;
}

/** The ways to the neighbours. Near the end of what is loaded the next page is asked for ahead of the press. */
function useSteps({ index, list, onGo }: { index: number; list: GalleryList; onGo: (id: string) => void }): Steps {
  const waits = useRef(false);
  const { items, complete, loadMore } = list;
  const next = index < 0 ? undefined : items[index + 1];
  const previous = items[index - 1];
  useEffect(() => {
    if (index >= 0 && items.length - index < ahead && !complete) loadMore();
  }, [index, items.length, complete, loadMore]);
  useEffect(() => {
    if (!waits.current || next === undefined) return;
    waits.current = false;
    onGo(next.id);
  }, [next, onGo]);
  const more = index >= 0 && !complete;
  return {
    back: previous === undefined ? null : () => onGo(previous.id),
    on:
      next !== undefined
        ? () => onGo(next.id)
        : more
          ? () => {
              waits.current = true;
              loadMore();
            }
          : null,
  };
}

/** As many pictures before the end of what is loaded the next page is asked for. */
const ahead = 12;

interface MovingOn extends Pick<DetailProps, "id" | "list" | "onGo" | "onClose"> {
  index: number;
}

/** When the open picture goes away, the view moves on to the one that took its place. */
function useMovingOn({ id, index, list, onGo, onClose }: MovingOn): void {
  const last = useRef<{ id: string; index: number } | null>(null);
  useEffect(() => {
    if (index >= 0) {
      last.current = { id, index };
      return;
    }
    const was = last.current;
    if (was === null || was.id !== id || list.isPending) return;
    last.current = null;
    if (!list.hidden.has(id)) showToast({ text: strings.detail.deletedElsewhere });
    const next = list.items[Math.min(was.index, list.items.length - 1)];
    if (next === undefined) onClose(null);
    else onGo(next.id);
  }, [id, index, list, onGo, onClose]);
}
