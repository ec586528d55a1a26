// Under which keys the query cache holds tasks.
import type { News } from "./task-board.ts";

export const listKey = ["tasks"] as const;
export const newsKey = ["task-news"] as const;

export function taskKey(id: string): readonly ["task", string] {
  return ["task", id];
}

export const noNews: News = new Map();
