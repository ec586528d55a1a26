import type { Context } from "../context/context.ts";
import type { Deployer } from "./deployer.ts";
import { describeDeployment, readLogLines, requireDeployment } from "./deployment-record.ts";

export interface DeploymentStreamEvent {
  /** Lines of the log up to the end of this event; null where it does not move the place. */
  readonly id: number | null;
  readonly type: "deployment.log" | "deployment.updated";
  /** JSON text. */
  readonly data: string;
}

const linesAtOnce = 500;

/**
 * The deployment, its log from a line on, what comes live, and at the end the deployment as it ended. `seen`: how many lines the
 * listener has; more than there are begins anew. Ends quietly with `signal`. Errors: `not_found`.
 */
export async function* followDeployment(
  context: Context,
  deployer: Deployer,
  id: string,
  seen: number,
  signal: AbortSignal,
): AsyncGenerator<DeploymentStreamEvent, void, undefined> {
  const changes = new Changes(signal);
  const unsubscribe = deployer.subscribe(id, changes.note);
  try {
    let position: number | null = null;
    let told = "";
    while (!signal.aborted) {
      // Both of one state: it never names an end before the lines that led to it.
      const { record, from, lines } = await readOn(context, id, position, seen);
      position = from;
      const ended = record.finishedAt !== null;
      const state = JSON.stringify({ ...describeDeployment(record), log_lines: 0 });
      if (!ended && state !== told) {
        yield { id: null, type: "deployment.updated", data: JSON.stringify(describeDeployment(record)) };
      }
      told = state;
      if (lines.length > 0) {
        const data = JSON.stringify({ from: position, lines });
        position += lines.length;
        yield { id: position, type: "deployment.log", data };
        continue;
      }
      if (ended) {
        yield { id: position, type: "deployment.updated", data: JSON.stringify(describeDeployment(record)) };
        return;
      }
      await changes.next();
    }
  } finally {
    unsubscribe();
    changes.close();
  }
}

/** Waits for the next change; one that came while nobody waited counts too. */
class Changes {
  readonly #signal: AbortSignal;
  #noted = false;
  #resolve: (() => void) | undefined;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener("abort", this.note);
  }

  readonly note = (): void => {
    this.#noted = true;
    this.#resolve?.();
  };

  async next(): Promise<void> {
    if (!this.#noted && !this.#signal.aborted) await new Promise<void>((resolve) => (this.#resolve = resolve));
    this.#noted = false;
    this.#resolve = undefined;
  }

  close(): void {
    this.#signal.removeEventListener("abort", this.note);
  }
}

/** How it stands, and what was written from a line on; at first from the one that was seen, where there was such a one. */
function readOn(context: Context, id: string, position: number | null, seen: number) {
  return context.database.read(async ({ prepare }) => {
    const record = await requireDeployment(prepare, id);
    const from = position ?? (seen <= record.logLines ? seen : 0);
    return { record, from, lines: (await readLogLines(prepare, record.number, from)).slice(0, linesAtOnce) };
  });
}
