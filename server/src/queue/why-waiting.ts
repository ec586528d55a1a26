import type { Notice, WaitingCode, WaitingFor } from "@safelight/contract";
import type { Context } from "../context/context.ts";
import type { Waiting, WaitingTask } from "../context/waiting-board.ts";
import { queueIsPaused } from "../tasks/paused.ts";
import type { Prepare } from "../tasks/read.ts";
import { countRunning, nextFor } from "./claim.ts";
import { activityAt, hasRoom, type Lane, type Running } from "./lanes.ts";

/** An executor as a task that waits sees it. */
export interface Seat {
  readonly lane: Lane;
  /** Left in peace for a while after runs that failed. */
  readonly rests: boolean;
  /** Why it is not able to run this; null when it is. */
  readonly unable: Notice | null;
}

/** What all executors have in common at one moment; looked at once for any number of tasks. */
export interface QueueView {
  readonly running: Running;
  readonly paused: boolean;
  /** The task that would be given out next; found out when it is asked for first. */
  next: Promise<string | null> | undefined;
}

export async function lookAtQueue(context: Context, prepare: Prepare): Promise<QueueView> {
  return { running: await countRunning(context, prepare), paused: await queueIsPaused(prepare), next: undefined };
}

/** Codes under which an executor says that it is not able, where they are not the codes of waiting. */
const codesOfOffers: Readonly<Record<string, WaitingCode>> = {
  embedded_engine_aside: "stepped_aside",
  embedded_engine_off: "disabled",
};

/** From the reason that is nearest to running to the one that is furthest from it, with what creators are told. */
const shortTexts: Readonly<Record<WaitingCode, string>> = {
  queue_paused: "The operator has paused the queue.",
  behind_others: "Others go first.",
  busy: "Everything that can run it is busy.",
  resting: "What can run it rests for a moment, as runs failed there.",
  draining: "What can run it finishes its work and takes no more.",
  not_ready: "What can run it is not ready at the moment.",
  no_slots: "Nothing is set up to take tasks of this kind.",
  disabled: "What can run it is switched off.",
  mode_not_offered: "Nothing offers this mode at the moment.",
  model_not_offered: "Nothing offers this model at the moment.",
  stepped_aside: "What can run it is not ready at the moment.",
  pinned_elsewhere: "The workspace it is meant for is not there any more.",
};
const ranking = Object.keys(shortTexts) as WaitingCode[];

/**
 * For each executor the reason why it does not take the task now; none where nothing hinders it. In short: the reason that is nearest to
 * running, and nothing where it is simply next.
 */
export async function whyWaiting(
  prepare: Prepare,
  seats: readonly Seat[],
  view: QueueView,
  task: WaitingTask,
): Promise<Waiting> {
  let isNext = false;
  const goesFirst = async (): Promise<boolean> => {
    const lanes = () => seats.filter(({ rests }) => !rests).map(({ lane }) => lane);
    view.next ??= nextFor(prepare, lanes(), view.running);
    isNext = (await view.next) === task.id;
    return isNext;
  };
  const each: WaitingFor[] = [];
  for (const seat of seats) {
    const reason = hindranceAt(seat, view, task);
    if (reason !== null) each.push({ workspace: seat.lane.executor, ...reason });
    else if (!(await goesFirst()))
      each.push({ workspace: seat.lane.executor, code: "behind_others", detail: "Others go first." });
  }
  if (isNext) return { each, short: null };
  const code = ranking.find((one) => each.some((reason) => reason.code === one));
  return { each, short: code === undefined ? null : { code, detail: shortTexts[code] } };
}

interface Hindrance {
  readonly code: WaitingCode;
  readonly detail: string;
}

function hindranceAt({ lane, rests, unable }: Seat, view: QueueView, task: WaitingTask): Hindrance | null {
  if (task.workspace === null ? !lane.open : task.workspace !== lane.executor) {
    return { code: "pinned_elsewhere", detail: `The task is meant for ${task.workspace ?? "another workspace"}.` };
  }
  if (unable !== null) return { code: codeOf(unable), detail: unable.detail };
  if (view.paused) return { code: "queue_paused", detail: "The queue is paused." };
  const slots = lane.slots[task.type];
  if (slots === 0) return { code: "no_slots", detail: `It has no slots for tasks of the type ${task.type}.` };
  if (rests) return { code: "resting", detail: "Runs failed there; it is tried again after a pause." };
  if (lane.full === true) return { code: "busy", detail: "It said that it is busy, or is checked after a run failed." };
  if (hasRoom(lane, view.running, task.type)) return null;
  return { code: "busy", detail: `Its slots are taken: ${takenAt(lane, view.running)}.` };
}

function codeOf({ code }: Notice): WaitingCode {
  const known = codesOfOffers[code] ?? code;
  return known in shortTexts ? (known as WaitingCode) : "not_ready";
}

function takenAt(lane: Lane, running: Running): string {
  const { image, video } = activityAt(lane, running);
  return `${image} of ${lane.slots.image} image, ${video} of ${lane.slots.video} video`;
}
