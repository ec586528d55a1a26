import { useCallback, useEffect, useMemo, useState } from "react";
import { useHiddenIds } from "../../../api/pending-deletes.ts";
import { type Task, useTask } from "../../../api/tasks.ts";
import { followed, nextInSight } from "./following.ts";

interface Choice {
  chosen: string | null;
  choose: (id: string | null) => void;
}

export interface StageTask {
  /** The latest tasks, without those that are being deleted. */
  latest: readonly Task[];
  /** What stands on the stage; null when there is nothing, or nothing yet. */
  shown: Task | null;
  /** The address names a task that there is not. */
  absent: boolean;
  /** Somebody picked a task; null goes back to the newest. */
  show: (id: string | null) => void;
  /** A task was submitted here: the stage goes with it until somebody picks another. */
  follow: (id: string) => void;
}

/** Which task stands on the stage. `listed` is undefined until the list has come once. */
export function useStageTask(listed: readonly Task[] | undefined, { chosen, choose }: Choice): StageTask {
  const hidden = useHiddenIds();
  const [own, setOwn] = useState<readonly string[]>([]);
  const [following, setFollowing] = useState(false);
  const latest = useMemo(() => (listed ?? []).filter((task) => !hidden.has(task.id)), [listed, hidden]);
  const inList = latest.find((task) => task.id === chosen);
  const leaving = chosen !== null && hidden.has(chosen);
  // A link may lead to a task that is no longer among the latest.
  const elsewhere = useTask(listed !== undefined && inList === undefined && !leaving ? chosen : null);
  const absent = chosen !== null && !leaving && inList === undefined && elsewhere.data === null;
  const waits = chosen !== null && !leaving && inList === undefined && elsewhere.isPending && !elsewhere.error;
  const fallback = leaving ? nextInSight(listed ?? [], chosen, hidden) : latest[0];
  const shown = inList ?? elsewhere.data ?? (absent || waits ? null : (fallback ?? null));
  const next = following ? followed(latest, own, shown) : null;

  useEffect(() => {
    if (next !== null) choose(next);
  }, [next, choose]);
  // The address moves on too: once the task is deleted it would name nothing.
  const successor = fallback?.id ?? null;
  useEffect(() => {
    if (leaving) choose(successor);
  }, [leaving, successor, choose]);
  const show = useCallback(
    (id: string | null) => {
      setFollowing(false);
      choose(id);
    },
    [choose],
  );
  const isOwnOnStage = shown !== null && shown.status !== "done" && shown.status !== "failed" && own.includes(shown.id);
  const follow = useCallback(
    (id: string) => {
      setOwn((ids) => [...ids.slice(-ownKept), id]);
      setFollowing(true);
      // Of several at once the first stays on the stage; the others take their turn when they run.
      if (!(following && isOwnOnStage)) choose(id);
    },
    [choose, following, isOwnOnStage],
  );
  return { latest, shown, absent, show, follow };
}

/** Submissions remembered for following: more than any queue that somebody watches. */
const ownKept = 200;
