import type { MediaType } from "@safelight/catalog";
import type { Prepare } from "../database/database.ts";

/** What the queue needs to know of an executor: what it may be given and how much of it at once. */
export interface Lane {
  readonly executor: string;
  readonly engine: string;
  readonly slots: { readonly image: number; readonly video: number; readonly total: number };
  /** Every model and mode it is able to run now. */
  readonly able: readonly { readonly type: MediaType; readonly model: string; readonly mode: string }[];
  /** False for one that only takes tasks pinned to it. */
  readonly open: boolean;
  /** True while it is given nothing though it has slots: it said that it is busy, or is being looked at after a failure. */
  readonly full?: boolean;
  /** True for an executor that other gateways have too under this name, each its own: only runs of this gateway take its slots. */
  readonly local?: boolean;
  /** When it was last given a task; of two equally loaded lanes the one that has rested longer goes first. */
  readonly lastUsedAt: number;
}

/** What goes on at an executor: runs per type, and results of ended runs that are being taken in. */
export interface Activity {
  readonly image: number;
  readonly video: number;
  readonly storing: number;
}

/** What goes on under the name of an executor: at all gateways, and at this one. */
export interface ActivityAt {
  readonly all: Activity;
  readonly own: Activity;
}

export type Running = ReadonlyMap<string, ActivityAt>;

const IDLE: Activity = { image: 0, video: 0, storing: 0 };

/** What goes on at the executor of a lane. */
export function activityAt(lane: Lane, running: Running): Activity {
  const at = running.get(lane.executor);
  return (lane.local === true ? at?.own : at?.all) ?? IDLE;
}

/** True when the lane has room for one more run of this type. */
export function hasRoom(lane: Lane, running: Running, type: MediaType): boolean {
  if (lane.full === true) return false;
  const now = activityAt(lane, running);
  // An executor draws on while a result is taken in, but not so fast that a slow disk lets results pile up.
  if (now.storing > lane.slots.total) return false;
  return now[type] < lane.slots[type] && now.image + now.video < lane.slots.total;
}

/** Share of the lane's slots of this type that is taken, 0 to 1. */
export function loadOf(lane: Lane, running: Running, type: MediaType): number {
  return activityAt(lane, running)[type] / Math.max(1, lane.slots[type]);
}

/** What a task must match to run on one of the lanes: `open` for tasks that go anywhere, `pinned` for the others. */
export interface Fitting {
  /** JSON array of `model/mode`. */
  open: string;
  /** JSON array of `workspace/model/mode`. */
  pinned: string;
}

export function fittingFor(lanes: readonly Lane[], room: (lane: Lane, type: MediaType) => boolean): Fitting {
  const open = new Set<string>();
  const pinned = new Set<string>();
  for (const lane of lanes) {
    for (const { type, model, mode } of lane.able) {
      if (!room(lane, type)) continue;
      if (lane.open) open.add(`${model}/${mode}`);
      pinned.add(`${lane.executor}/${model}/${mode}`);
    }
  }
  return { open: JSON.stringify([...open]), pinned: JSON.stringify([...pinned]) };
}

/** SQL condition with two values, `open` and `pinned` of a Fitting. */
export const fits = ({ dialect }: Prepare): string => `(
  (workspace IS NULL AND model || '/' || mode IN (${dialect.textsOfJson}))
  OR (workspace IS NOT NULL AND workspace || '/' || model || '/' || mode IN (${dialect.textsOfJson}))
)`;
