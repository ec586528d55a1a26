// Whatever goes wrong with a request, in one form that parts of the page can show.
import type { FieldProblem } from "@safelight/contract";
import { ApiError } from "@safelight/contract/client";
import { currentLanguage, inLanguage, prepareTexts } from "../ui/language.ts";
import type { ProblemWords } from "./words/problem-words.ts";

const en = {
  offline: { title: "The server did not answer.", action: "Check the connection; nothing you typed is lost." },
};
const ru: typeof en = {
  offline: { title: "Сервер не ответил.", action: "Проверьте соединение; набранное сохранено." },
};
const strings = inLanguage({ en, ru });

/** The words of refusals come right behind the page. A refusal before that speaks in the server's own words. */
let wordsOf: (code: string) => ProblemWords | null = () => null;
void import("./words/problem-words.ts")
  .then(async ({ problemWords }) => {
    await prepareTexts();
    wordsOf = problemWords;
  })
  .catch(() => {});

export interface Problem {
  /** The contract's code; "offline" when no answer came at all. */
  code: string;
  /** What happened, in the language in force. */
  detail: string;
  /** What to do about it, in the language in force. */
  action: string;
  /** The server's own English sentence, where the page is in another language; it may say more than `detail`. */
  said: string | null;
  /** Finds the request in the server's log. */
  reference: string | null;
  fields: readonly FieldProblem[];
  /** Seconds after which the server invites another try. */
  retryAfter: number | null;
}

export function isRefusal(error: unknown): boolean {
  return error instanceof ApiError;
}

export function problemCode(error: unknown): string | null {
  return error instanceof ApiError ? (error.problem?.code ?? null) : null;
}

/** For how many milliseconds the server wants to be left alone; null for every other refusal. */
export function throttledFor(error: unknown): number | null {
  return error instanceof ApiError && error.problem?.code === "rate_limited" ? (error.retryAfter ?? 60) * 1000 : null;
}

export function describeProblem(error: unknown): Problem {
  const problem = error instanceof ApiError ? error.problem : null;
  const code = problem?.code ?? (isRefusal(error) ? "internal" : "offline");
  const words = code === "offline" ? strings.offline : (wordsOf(code) ?? { title: "", action: "" });
  const isEnglish = currentLanguage() === "en";
  return {
    code,
    detail: isEnglish ? (problem?.detail ?? words.title) : words.title || (problem?.detail ?? ""),
    action: words.action || (problem?.user_action ?? ""),
    said: isEnglish ? null : (problem?.detail ?? null),
    reference: problem?.correlation_id ?? null,
    fields: problem?.errors ?? [],
    retryAfter: error instanceof ApiError ? error.retryAfter : null,
  };
}
