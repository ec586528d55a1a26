/**
 * Everything that gateways on one database say to each other by `notify`. What is sent along is small and never a secret; whoever hears
 * null, where something may have been missed, looks for itself.
 */
export const channels = {
  /** Something was added to the log of events. A trigger of the schema says it; nothing is sent along. */
  events: "safelight_events",
  /** The rules of the queue have changed: paused, resumed. */
  queue: "safelight_queue",
  /** Worker accounts, or what is known of their health. */
  accounts: "safelight_accounts",
  apiKeys: "safelight_api_keys",
  secrets: "safelight_secrets",
  deployments: "safelight_deployments",
  webhooks: "safelight_webhooks",
} as const;
