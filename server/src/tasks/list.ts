import type { Context } from "../context/context.ts";
import type { TaskRecord } from "./task-record.ts";

export interface TaskFilters {
  status?: TaskRecord["status"];
  model?: string;
  type?: TaskRecord["type"];
  mode?: string;
  /** Words that must stand in the prompt. */
  q?: string;
  /** Wall-clock milliseconds, both ends included. */
  from?: number;
  to?: number;
}

export interface TaskListQuery extends TaskFilters {
  /** 1 to 100; not together with a cursor. */
  page?: number;
  /** 1 to 100, by default 20. */
  perPage?: number;
  cursor?: string;
  order?: "desc" | "asc";
}

export interface TaskList {
  tasks: TaskRecord[];
  total: number;
  totalIsExact: boolean;
  page: number;
  perPage: number;
  hasMore: boolean;
  nextCursor: string | null;
}

export function listTasks(_context: Context, _query: TaskListQuery): Promise<TaskList> {
  throw new Error("not built yet");
}
