import { expect, test } from "vitest";
import { explainEnd } from "./explain-end.ts";

const ended = (exitCode: number | null) => ({ exitCode, notStarted: null });

// The lines are what modal 1.6.4 prints.
test.each([
  ["modal_unreachable", ["Error: Could not connect to the Modal server."]],
  ["token_refused", ["Error: Token missing. Could not authenticate client."]],
  ["token_refused", ["Error: Token [redacted] is not known here."]],
  ["token_refused", ["╭─ Error ─────╮", "│ Token ID is malformed. │", "╰─────╯"]],
  [
    "source_broken",
    ["Traceback (most recent call last):", '  File "./app.py", line 2', "ImportError: no module named x"],
  ],
  ["deploy_failed", ["Error: Image build failed"]],
  ["deploy_failed", []],
])("%s for %j", (code, lines) => {
  const failure = explainEnd(ended(1), lines);
  expect(failure.code).toBe(code);
  expect(failure.detail).toMatch(/[.A-Za-z]$/);
});

test("the last words are told without frames, and never at length", () => {
  expect(explainEnd(ended(2), ["│ Image build failed │", "╰──╯"]).detail).toBe(
    "The modal command ended with code 2: Image build failed",
  );
  expect(explainEnd(ended(null), []).detail).toBe("The modal command was ended by a signal.");
  expect(explainEnd(ended(1), ["long ".repeat(400)]).detail.length).toBeLessThan(400);
});

test("what is not installed is told apart", () => {
  expect(explainEnd({ exitCode: null, notStarted: "ENOENT" }, []).detail).toMatch(/^Python was not found\./);
  expect(explainEnd(ended(91), []).detail).toMatch(/^Python has no modal package\./);
});
