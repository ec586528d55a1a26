import { expect, test } from "vitest";
import { accountEvents, accountStatuses, nextAccountStatus } from "./account-status.ts";

test("FR-014: every status meets every event as the specification says, and in no other way", () => {
  const table = Object.fromEntries(
    accountStatuses.map((status) => [
      status,
      Object.fromEntries(accountEvents.map((event) => [event, nextAccountStatus(status, event)])),
    ]),
  );
  expect(table).toEqual({
    pending: { good_check: "ready", bad_check: "pending", enable: "pending", disable: "disabled" },
    ready: { good_check: "ready", bad_check: "failed", enable: "ready", disable: "disabled" },
    failed: { good_check: "ready", bad_check: "failed", enable: "failed", disable: "disabled" },
    disabled: { good_check: "disabled", bad_check: "disabled", enable: "pending", disable: "disabled" },
  });
});

test("only a good check makes an account ready", () => {
  for (const status of accountStatuses) {
    if (status === "ready") continue;
    for (const event of accountEvents) {
      expect(nextAccountStatus(status, event) === "ready").toBe(event === "good_check" && status !== "disabled");
    }
  }
});
