// The last line of every test run: what passed, failed and was skipped. In CI a skipped test fails the run, so that a
// scenario cannot go missing unseen on a machine that lacks something.
import type { TestCase, TestModule } from "vitest/node";

export class ClosingLine {
  readonly #print: (line: string) => void;
  readonly #isContinuousIntegration: boolean;

  constructor(options: { print?: (line: string) => void; isContinuousIntegration?: boolean } = {}) {
    this.#print = options.print ?? ((line) => process.stdout.write(`${line}\n`));
    this.#isContinuousIntegration = options.isContinuousIntegration ?? (process.env.CI ?? "") !== "";
  }

  onTestRunEnd(modules: readonly TestModule[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const inState = (state: string) => tests.filter((test) => test.result().state === state);
    const skipped = inState("skipped");
    for (const test of skipped)
      this.#print(`skipped: ${test.module.relativeModuleId} > ${test.fullName}${reasonOf(test)}`);
    if (this.#isContinuousIntegration && skipped.length > 0) {
      this.#print("In CI a skipped test is a failure.");
      process.exitCode = 1;
    }
    const counts = [`${inState("passed").length} passed`, `${inState("failed").length} failed`];
    this.#print(`tests: ${[...counts, `${skipped.length} skipped`].join(", ")}`);
  }
}

function reasonOf(test: TestCase): string {
  const result = test.result();
  return result.state === "skipped" && result.note !== undefined ? `: ${result.note}` : "";
}
