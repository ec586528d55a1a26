import { expect, test } from "vitest";
import { StatusAnswers } from "./status-answers.ts";

test("an answer is kept until the next commit and no longer", () => {
  const database = { commits: 3 };
  const answers = new StatusAnswers(database);
  answers.keep("a", "first", { commits: 3, ended: true });
  expect(answers.find("a")).toBe("first");
  expect(answers.find("b")).toBeUndefined();
  database.commits = 4;
  expect(answers.find("a")).toBeUndefined();
  answers.keep("b", "other", { commits: 4, ended: true });
  expect(answers.find("a"), "what was kept before the commit does not come back").toBeUndefined();
});

test("an answer that was read before a commit is not kept after it", () => {
  const database = { commits: 1 };
  const answers = new StatusAnswers(database);
  database.commits = 2;
  answers.keep("a", "old", { commits: 1, ended: true });
  expect(answers.find("a")).toBeUndefined();
});

test("what changes with time is not kept for long", async () => {
  const answers = new StatusAnswers({ commits: 1 });
  answers.keep("a", "running", { commits: 1, ended: false });
  await expect.poll(() => answers.find("a")).toBeUndefined();
});
