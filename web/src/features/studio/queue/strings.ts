// Every word of the queue, and of a task wherever it is shown in the studio.

const en = {
  waiting: (position: number) => (position === 1 ? "Next in the queue" : `Waiting, number ${position} in the queue`),
  waitingUnknown: "Waiting for its turn",
  stage: {
    queued: "Waiting",
    starting: "Starting",
    load: "Loading the model",
    encode: "Preparing",
    denoise: "Denoising",
    decode: "Developing",
    mux: "Writing the clip",
    save: "Saving",
    cancelling: "Cancelling",
  },
  stageDetail: (stage: string, detail: string) => `${stage}, ${detail}`,
  stepOf: (stage: string, step: number, steps: number) => `${stage}, step ${step} of ${steps}`,
  left: (text: string) => `${text} left`,
  percent: (value: number) => `${value} %`,
  cancel: "Cancel",
  cancelTask: (prompt: string) => `Cancel: ${prompt}`,
  failed: {
    cancelled: "Cancelled",
    timed_out: "Took too long",
    out_of_memory: "Out of memory",
    engine_failed: "The engine failed",
    worker_lost: "The worker was lost",
    no_workers: "Nobody could run it",
    result_invalid: "The result could not be read",
    storage_failed: "It could not be stored",
    content_refused: "Refused",
  } as Readonly<Record<string, string>>,
  failedOther: "It did not work",
  tasks: "Tasks",
  running: "Running",
  waitingGroup: "Waiting",
  ended: "Ended",
  queueSummary: (running: number, waiting: number) =>
    running + waiting === 0 ? "nothing runs" : `${running} running, ${waiting} waiting`,
  doneIn: (text: string) => `Done in ${text}`,
};

export type QueueStrings = typeof en;

/** The strings of the language in force. */
export const strings: QueueStrings = en;

function number(value: number): string {
  return new Intl.NumberFormat("en", { maximumFractionDigits: 1 }).format(value);
}

/** A duration for people: 4 s, 1 min 20 s. */
export function durationText(seconds: number): string {
  if (seconds < 10) return `${number(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  return whole % 60 === 0 ? `${minutes} min` : `${minutes} min ${whole % 60} s`;
}
