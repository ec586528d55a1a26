// Shows how far a task is: a bar on a terminal, otherwise one line for each stage and each tenth.
import type { Status } from "@safelight/contract";
import { Presets, SingleBar } from "cli-progress";

export interface ProgressView {
  show(status: Status): void;
  /** Leaves the terminal clean; nothing is shown afterwards. */
  end(): void;
}

/** Writes to `stream`; quiet when told so. */
export function openProgress(stream: NodeJS.WriteStream, quiet: boolean): ProgressView {
  if (quiet) return { show: () => {}, end: () => {} };
  return stream.isTTY ? barView(stream) : lineView(stream);
}

function barView(stream: NodeJS.WriteStream): ProgressView {
  const options = { stream, format: "{bar} {percentage}% {what}", hideCursor: true, clearOnComplete: true, fps: 10 };
  const bar = new SingleBar({ ...options, stopOnComplete: false }, Presets.shades_classic);
  let open = false;
  return {
    show: (status) => {
      if (!open) bar.start(100, 0, { what: "" });
      open = true;
      bar.update(status.progress, { what: describeProgress(status) });
    },
    end: () => {
      if (open) bar.stop();
      open = false;
    },
  };
}

function lineView(stream: NodeJS.WriteStream): ProgressView {
  let shown = "";
  return {
    show: (status) => {
      const state = `${status.stage} ${status.queue_position} ${Math.floor(status.progress / 10)}`;
      if (state === shown || status.stage === null) return;
      shown = state;
      stream.write(`${String(status.progress).padStart(3)}% ${describeProgress(status)}\n`);
    },
    end: () => {},
  };
}

/** "denoise 12/30, 4 s left", "place 3 in the queue". */
export function describeProgress(status: Status): string {
  if (status.queue_position !== null) return `waiting, place ${status.queue_position} in the queue`;
  const step = status.step === null || status.steps === null ? "" : ` ${status.step}/${status.steps}`;
  const detail = status.stage_detail === null ? "" : ` (${status.stage_detail})`;
  const left = status.eta_seconds === null || status.eta_seconds <= 0 ? "" : `, ${status.eta_seconds} s left`;
  return `${status.stage ?? status.status}${step}${detail}${left}`;
}
