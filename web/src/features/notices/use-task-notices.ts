import type { Status } from "@safelight/contract";
import { type QueryClient, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { onTaskEvents, readTaskOnce } from "../../api/tasks.ts";
import { showNotice } from "../../ui/notices.ts";
import { joinTabs } from "../../ui/tab-leader.ts";
import { failureWords } from "../../ui/task-words.ts";
import { setTitleCount } from "../../ui/title-count.ts";
import { endWatcher } from "./ended.ts";
import { strings } from "./strings.ts";

/** Ends that come this close together, in milliseconds, are one notice. */
const gathering = 400;

/**
 * Tells that tasks have ended while nobody looks: a notice of the system where it is allowed, from one tab alone, and in
 * any case a number in the title. `onShow` is given the task when the person presses the notice; null for several.
 */
export function useTaskNotices(onShow: (taskId: string | null) => void): void {
  const queryClient = useQueryClient();
  useEffect(() => {
    const leaving = new AbortController();
    const { isSpeaker } = joinTabs(leaving.signal);
    const endsIn = endWatcher();
    let unseen = 0;
    let gathered: Status[] = [];
    let timer: ReturnType<typeof setTimeout> | undefined;
    const speak = async () => {
      timer = undefined;
      const ended = gathered;
      gathered = [];
      if (await isSpeaker()) await notify(queryClient, ended, onShow);
    };
    const stop = onTaskEvents((events) => {
      const ended = endsIn(events);
      if (ended.length === 0 || document.visibilityState !== "hidden") return;
      unseen += ended.length;
      setTitleCount(unseen);
      gathered.push(...ended);
      timer ??= setTimeout(() => void speak(), gathering);
    });
    const look = () => {
      if (document.visibilityState === "hidden") return;
      unseen = 0;
      setTitleCount(0);
    };
    document.addEventListener("visibilitychange", look);
    return () => {
      stop();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", look);
      leaving.abort();
    };
  }, [queryClient, onShow]);
}

async function notify(
  queryClient: QueryClient,
  ended: readonly Status[],
  onShow: (taskId: string | null) => void,
): Promise<void> {
  const [first] = ended;
  if (first === undefined) return;
  if (ended.length > 1) {
    const failed = ended.filter((status) => status.status === "failed").length;
    const body = failed > 0 ? strings.failures(failed) : strings.allDone;
    showNotice({ title: strings.several(ended.length), body, tag: first.task_id, onPress: () => onShow(null) });
    return;
  }
  const item = await readTaskOnce(queryClient, first.task_id).catch(() => null);
  const title = first.status === "done" ? strings.done : failureWords(first.error?.code ?? null).title;
  showNotice({
    title,
    body: item?.prompt ?? "",
    tag: first.task_id,
    picture: item?.thumbnail_url ?? null,
    onPress: () => onShow(first.task_id),
  });
}
