/** What an examination found of one thing. */
export interface Finding {
  /** What was looked at, such as `database`. */
  readonly check: string;
  /** `problem`: something does not work or is lost; `warning`: it works, and somebody should look at it. */
  readonly state: "ok" | "warning" | "problem";
  /** One sentence. Never a secret. */
  readonly detail: string;
  /** What to do about it; null where nothing is to be done. */
  readonly mend: string | null;
}

export const ok = (check: string, detail: string): Finding => ({ check, state: "ok", detail, mend: null });
export const warning = (check: string, detail: string, mend: string): Finding => ({
  check,
  state: "warning",
  detail,
  mend,
});
export const problem = (check: string, detail: string, mend: string): Finding => ({
  check,
  state: "problem",
  detail,
  mend,
});

/** The code of a failed system call, or what else is known of an error. */
export function reasonOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  if (typeof code === "string" && code !== "ERR_SQLITE_ERROR") return code;
  return error instanceof Error ? error.message : String(error);
}
