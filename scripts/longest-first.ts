// The order of test files where no earlier run tells it, as in CI: what takes longest begins first, so that at the end no processor is
// idle while one file goes on alone.
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Projects and files, those that take longest first; what matches none comes last. */
const order: readonly RegExp[] = [/^worker /, /\/e2e\//, /\/cli\//, /^processes /, /^page /];

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((one, other) => placeOf(one) - placeOf(other));
  }
}

function placeOf({ project, moduleId }: TestSpecification): number {
  const place = order.findIndex((each) => each.test(`${project.name} ${moduleId}`));
  return place === -1 ? order.length : place;
}
