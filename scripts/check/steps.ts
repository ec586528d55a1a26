// Runs the steps of a check: two at a time, one line each with its time, the whole output of those that failed.
import { spawn } from "node:child_process";

export interface Step {
  name: string;
  /** Resolves with the problems found; an empty list is a pass, a rejection is a failure too. */
  run(): Promise<readonly string[]>;
}

export interface StepOutcome {
  name: string;
  milliseconds: number;
  problems: readonly string[];
}

/** Runs all steps, at most `width` at once, and reports each as it ends. Every step runs, whatever the others found. */
export async function runSteps(
  steps: readonly Step[],
  report: (outcome: StepOutcome) => void,
  width = 2,
): Promise<StepOutcome[]> {
  const waiting = [...steps];
  const outcomes: StepOutcome[] = [];
  const lane = async () => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
      const began = performance.now();
      const problems = await problemsOf(step);
      const outcome = { name: step.name, milliseconds: performance.now() - began, problems };
      outcomes.push(outcome);
      report(outcome);
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
  return outcomes;
}

async function problemsOf(step: Step): Promise<readonly string[]> {
  try {
    return await step.run();
  } catch (error) {
    return [error instanceof Error ? (error.stack ?? error.message) : String(error)];
  }
}

/** A step that is a program: it passes when the program ends with 0; otherwise its output is the problem. */
export function commandStep(name: string, file: string, argumentList: readonly string[]): Step {
  return {
    name,
    run: async () => {
      const { code, output } = await runProgram(file, argumentList);
      return code === 0 ? [] : [output.trimEnd() || `${file} ended with ${code} and said nothing`];
    },
  };
}

/** Runs a program without a terminal and gathers what it prints. `code` is null when a signal ended it. */
export function runProgram(
  file: string,
  argumentList: readonly string[],
): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, argumentList, { stdio: ["ignore", "pipe", "pipe"] });
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => chunks.push(chunk));
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, output: Buffer.concat(chunks).toString("utf8") }));
  });
}
