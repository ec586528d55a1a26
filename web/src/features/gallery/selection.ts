// Which pictures are chosen. A selection is a value: what a click or a key makes of it is worked out here.

export interface Selection {
  /** Everything the filters let through, also what has not been loaded. */
  readonly all: boolean;
  readonly ids: ReadonlySet<string>;
  /** Where a range begins. */
  readonly anchor: string | null;
  /** What was chosen when the range was begun: a range that shrinks gives back no more than it took. */
  readonly base: ReadonlySet<string>;
}

export const nothingSelected: Selection = { all: false, ids: new Set(), anchor: null, base: new Set() };

/** `order`: ids of the loaded pictures as they stand. */
export function toggled(selection: Selection, id: string, order: readonly string[]): Selection {
  // One taken out of everything leaves what is known by name.
  const ids = new Set(selection.all ? order : selection.ids);
  if (!ids.delete(id)) ids.add(id);
  return { all: false, ids, anchor: id, base: new Set(ids) };
}

/** From the anchor to `id`, both included; without an anchor, from `origin`. */
export function extended(selection: Selection, id: string, origin: string, order: readonly string[]): Selection {
  const anchor = selection.anchor ?? origin;
  const base = selection.anchor === null ? selection.ids : selection.base;
  const from = order.indexOf(anchor);
  const to = order.indexOf(id);
  if (from < 0 || to < 0) return toggled(selection, id, order);
  const range = order.slice(Math.min(from, to), Math.max(from, to) + 1);
  return { all: false, ids: new Set([...base, ...range]), anchor, base };
}

/** Everything; `complete` says whether `order` is all there is. */
export function everything(order: readonly string[], complete: boolean): Selection {
  return { all: !complete, ids: new Set(order), anchor: null, base: new Set() };
}

/** The selection without pictures that are there no longer; itself when it held none of them. */
export function remaining(selection: Selection, present: ReadonlySet<string>): Selection {
  if ([...selection.ids].every((id) => present.has(id))) return selection;
  const keep = (ids: ReadonlySet<string>) => new Set([...ids].filter((id) => present.has(id)));
  const anchor = selection.anchor !== null && present.has(selection.anchor) ? selection.anchor : null;
  const ids = keep(selection.ids);
  return ids.size === 0 && !selection.all ? nothingSelected : { ...selection, ids, base: keep(selection.base), anchor };
}

export function isSelected(selection: Selection, id: string): boolean {
  return selection.all || selection.ids.has(id);
}

export function isEmpty(selection: Selection): boolean {
  return !selection.all && selection.ids.size === 0;
}
