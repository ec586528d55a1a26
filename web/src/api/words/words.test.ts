import { errorCodes, type Notice, taskErrorCodes } from "@safelight/contract";
import { afterEach, describe, expect, test } from "vitest";
import { currentLanguage, setLanguage } from "../../ui/language.ts";
import { failureWords } from "../../ui/task-words.ts";
import { noticeWords } from "./notice-words.ts";
import { problemWords } from "./problem-words.ts";
import { waitingReasonWords } from "./waiting-words.ts";

// The document is the page's; here only its language is of interest.
globalThis.document ??= { documentElement: {} } as Document;
afterEach(() => setLanguage("en"));

describe.each(["en", "ru"] as const)("in %s", (language) => {
  test.each(Object.keys(errorCodes))("the refusal %s has words (SC-005)", (code) => {
    setLanguage(language);
    const words = problemWords(code);
    expect(words?.title).toMatch(/\S\.$/);
    expect(words?.action).toMatch(/\S\.$/);
    expect(/[а-я]/i.test(`${words?.title}`)).toBe(language === "ru");
    expect(/[а-я]/i.test(`${words?.action}`)).toBe(language === "ru");
  });

  test.each(Object.keys(taskErrorCodes))("the failure %s has words of its own", (code) => {
    setLanguage(language);
    const words = failureWords(code);
    expect(words).not.toEqual(failureWords("a_code_of_tomorrow"));
    expect(/[а-я]/i.test(words.title)).toBe(language === "ru");
    expect(/[а-я]/i.test(words.advice)).toBe(language === "ru");
  });

  test.each([
    "unknown_words",
    "nothing_known",
    "prompt_completed",
    "prompt_too_long",
    "strength_zero",
    "reference_cropped",
    "no_effect",
    "format_unavailable",
    "miniature_engine",
    "tiny_models",
    "embedded_engine_off",
    "embedded_engine_aside",
    "no_workers",
  ])("the notice %s has words", (code) => {
    setLanguage(language);
    const notice: Notice = { code, detail: "as the server put it", words: ["brass"], options: ["webm"] };
    const text = noticeWords(notice);
    expect(text).not.toBe(notice.detail);
    expect(/[а-я]/i.test(text)).toBe(language === "ru");
  });
});

describe.each(["en", "ru"] as const)("in %s, why a task waits", (language) => {
  test.each([
    "queue_paused",
    "busy",
    "resting",
    "draining",
    "not_ready",
    "no_slots",
    "disabled",
    "mode_not_offered",
    "model_not_offered",
    "stepped_aside",
    "pinned_elsewhere",
  ])("%s has words", (code) => {
    setLanguage(language);
    const text = waitingReasonWords({ code, detail: "as the server put it" });
    expect(text).toMatch(/^\S.*\S\.$/);
    expect(text).not.toContain("as the server put it");
    expect(/[а-я]/i.test(`${text}`)).toBe(language === "ru");
  });
});

test("a task behind others needs no words beside its place, a reason of a newer server comes as the server put it", () => {
  expect(waitingReasonWords(null)).toBeNull();
  expect(waitingReasonWords({ code: "behind_others", detail: "Others go first." })).toBeNull();
  expect(waitingReasonWords({ code: "tomorrow", detail: "Something new." })).toBe("Something new.");
});

test("a notice of a newer server is shown as the server put it", () => {
  setLanguage("ru");
  expect(currentLanguage()).toBe("ru");
  expect(noticeWords({ code: "tomorrow", detail: "Something new." })).toBe("Something new.");
});
