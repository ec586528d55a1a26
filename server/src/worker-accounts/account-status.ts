/** How the status of a worker account changes; nothing else changes it, least of all reading it or opening a page. */

export const accountStatuses = ["pending", "ready", "failed", "disabled"] as const;
export type AccountStatus = (typeof accountStatuses)[number];

export const accountEvents = ["good_check", "bad_check", "enable", "disable"] as const;
export type AccountEvent = (typeof accountEvents)[number];

const table: Readonly<Record<AccountStatus, Readonly<Record<AccountEvent, AccountStatus>>>> = {
  pending: { good_check: "ready", bad_check: "pending", enable: "pending", disable: "disabled" },
  ready: { good_check: "ready", bad_check: "failed", enable: "ready", disable: "disabled" },
  failed: { good_check: "ready", bad_check: "failed", enable: "failed", disable: "disabled" },
  // Enabling asks for a check and is not one: what was switched off is not trusted unseen.
  disabled: { good_check: "disabled", bad_check: "disabled", enable: "pending", disable: "disabled" },
};

/** The status after an event. */
export function nextAccountStatus(status: AccountStatus, event: AccountEvent): AccountStatus {
  return table[status][event];
}
