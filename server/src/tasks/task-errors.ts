import { type TaskErrorCode, taskErrorCodes } from "@safelight/contract";

/** What a creator reads when nothing more exact is known. */
export function taskErrorText(code: TaskErrorCode): string {
  return `${taskErrorCodes[code].title}.`;
}
