/** How often whom may ask (FR-015, FR-018). Inference routes have no rate: capacity and the length of the queue limit them. */
export interface Rule {
  /** Requests that are let through in any stretch of `window` milliseconds, at most. */
  readonly most: number;
  readonly window: number;
  /** Whether what is asked is a guess at a secret, unless it is right. */
  readonly guardsSecrets: boolean;
}

const minute = 60_000;

export const rules = {
  /** POST /auth/session, per address. */
  client_session: { most: 10, window: minute, guardsSecrets: true },
  /** POST /admin/session, per address. */
  admin_session: { most: 30, window: minute, guardsSecrets: true },
  /** Everything else for operators, per admin session that is active. */
  admin_by_session: { most: 120, window: minute, guardsSecrets: false },
  /** The same for whoever shows no such session, per address. */
  admin_by_address: { most: 120, window: minute, guardsSecrets: false },
} as const satisfies Readonly<Record<string, Rule>>;

export type RuleName = keyof typeof rules;

export const ruleNames = Object.keys(rules) as readonly RuleName[];

/** Other numbers of requests for some rules. No setting leads here: it is for tests that ask more often than a person does. */
export type OtherLimits = Readonly<Partial<Record<RuleName, number>>>;
