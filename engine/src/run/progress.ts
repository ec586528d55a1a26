import type { EngineEvent, EngineStage } from "../job/job.ts";

export type Emit = (event: EngineEvent) => void;

/** Rough cost of each stage of a run, in any unit; stages run in this order. */
export type StageCosts = Readonly<Record<Exclude<EngineStage, "load">, number>>;

const order = ["encode", "denoise", "decode", "mux", "save"] as const satisfies readonly EngineStage[];

/** Says how far a run is: 99 at most, since only the finished file is the whole of it. */
export class ProgressMeter {
  readonly #emit: Emit;
  readonly #costs: StageCosts;
  readonly #steps: number;
  readonly #total: number;
  #step = 0;
  #highest = 0;

  /** `steps` is the number of denoising steps of the run. */
  constructor(emit: Emit, costs: StageCosts, steps: number) {
    this.#emit = emit;
    this.#costs = costs;
    this.#steps = steps;
    this.#total = order.reduce((sum, stage) => sum + costs[stage], 0);
  }

  get steps(): number {
    return this.#steps;
  }

  /** Reports that `share` (0 to 1) of a stage is done. */
  report(stage: keyof StageCosts, share: number, detail: string | null = null): void {
    const before = order.slice(0, order.indexOf(stage)).reduce((sum, earlier) => sum + this.#costs[earlier], 0);
    const done = Math.floor((99 * (before + share * this.#costs[stage])) / Math.max(1, this.#total));
    this.#highest = Math.max(this.#highest, Math.min(99, done));
    this.#emit({
      type: "progress",
      stage,
      stageDetail: detail,
      step: this.#step,
      steps: this.#steps,
      progress: this.#highest,
    });
  }

  /** Reports a denoising step as done. */
  step(done: number): void {
    this.#step = done;
    this.report("denoise", done / Math.max(1, this.#steps));
  }
}
