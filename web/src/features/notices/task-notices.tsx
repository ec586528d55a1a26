import { useTaskNotices } from "./use-task-notices.ts";

/** Draws nothing; tells that tasks have ended while nobody looks, for as long as it stands. */
export function TaskNotices({ onShow }: { onShow: (taskId: string | null) => void }) {
  useTaskNotices(onShow);
  return null;
}
