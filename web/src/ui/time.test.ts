import { afterEach, expect, test } from "vitest";
import { setLanguage } from "./language.ts";
import { duration } from "./time.ts";

// The document is the page's; here only its language is of interest.
globalThis.document ??= { documentElement: {} } as Document;
afterEach(() => setLanguage("en"));

test.each([
  [0, "0 s"],
  [0.0004, "0.0004 s"],
  [0.034, "0.03 s"],
  [0.094, "0.09 s"],
  [0.096, "0.1 s"],
  [0.44, "0.4 s"],
  [9.94, "9.9 s"],
  [9.96, "10 s"],
  [80, "1 min 20 s"],
  [7500, "2 h 5 min"],
])("%f seconds are told as %s: what took time never took none", (seconds, text) => {
  expect(duration(seconds)).toBe(text);
});

test("in Russian with a comma", () => {
  setLanguage("ru");
  expect(duration(0.034)).toBe("0,03 с");
});
