import { fileExtensionOf } from "@safelight/contract";
import type { TaskRecord } from "../tasks/task-record.ts";

// Characters, not halves of them.
const longestBeginning = /^.{0,60}/su;

/**
 * The name under which a browser saves a file: the beginning of the prompt, so that a folder of downloads can be read, and the end of
 * the id, so that two of one prompt stay apart: `a-red-boat-at-sea-9f11c0de.png`.
 */
export function fileNameFor(
  task: Pick<TaskRecord, "id" | "prompt" | "resultType" | "previewType">,
  suffix?: "preview",
): string {
  const type = (suffix === "preview" ? task.previewType : task.resultType) ?? "";
  const words = task.prompt
    .normalize("NFC")
    .replaceAll(/[^\p{L}\p{M}\p{N}]+/gu, "-")
    .toLowerCase();
  const short = (longestBeginning.exec(words)?.[0] ?? "").replaceAll(/^-+|-+$/g, "");
  const parts = [short || "safelight", task.id.slice(-8), ...(suffix === undefined ? [] : [suffix])];
  return `${parts.join("-")}.${fileExtensionOf(type)}`;
}
