import type { Context } from "../context/context.ts";
import type { TaskFilters } from "../tasks/filters.ts";
import { findTasks } from "../tasks/find.ts";

/** Tasks named one by one, or every ended task that the filters let through. */
export type Selected = { readonly ids: readonly string[] } | { readonly filters: TaskFilters };

const PORTION = 50;

/**
 * The ids of a selection, in portions, newest first. Every task that is there from the beginning to the end comes once; what is
 * added meanwhile does not come, and tasks may be deleted while this goes on.
 */
export async function* portionsOf(
  context: Context,
  selected: Selected,
): AsyncGenerator<readonly string[], void, undefined> {
  if ("ids" in selected) {
    const ids = [...new Set(selected.ids)];
    for (let start = 0; start < ids.length; start += PORTION) yield ids.slice(start, start + PORTION);
    return;
  }
  let cursor: string | null | undefined;
  while (cursor !== null) {
    const place: { cursor?: string } = cursor === undefined ? {} : { cursor };
    const found = await findTasks(context, { ...selected.filters, perPage: PORTION, ...place });
    if (found.tasks.length > 0) yield found.tasks.map(({ id }) => id);
    cursor = found.nextCursor;
  }
}
