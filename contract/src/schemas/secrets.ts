import Type, { type Static } from "typebox";
import { choice, nullableInteger, nullableString, nullableTime, time } from "./fields.ts";

/** `database`: stored there, encrypted or as a hash. */
export const secretSources = ["environment", "file", "generated", "database"] as const;

/**
 * `overdue`: older than it may be · `waiting`: a new value was made and is not in the settings yet · `revoked`: the settings hold a value
 * that counts no more.
 */
export const secretStates = ["ok", "overdue", "waiting", "revoked"] as const;

export const FormerValue = Type.Object({
  id: Type.String({ description: "Tells values apart; no secret." }),
  accepted_until: nullableTime("Until when it counts; null: until it is retired."),
});

export const Secret = Type.Object(
  {
    name: Type.String({
      description:
        "api-key, admin-key, session-secret, encryption-key, audit-key, access-password, metrics-token, webhook-secret; worker-key:<workspace> and modal-token:<workspace> of worker accounts.",
      examples: ["api-key", "worker-key:attic-gpu"],
    }),
    source: choice(secretSources),
    setting: nullableString({ description: "The setting that gives it, or could.", examples: ["API_KEY"] }),
    state: choice(secretStates),
    id: nullableString({ description: "Tells the value in force from others; no secret." }),
    created_at: nullableTime("When it was made, or first seen here."),
    age_days: nullableInteger({ minimum: 0 }),
    former: Type.Array(FormerValue, { description: "Former values that still count." }),
    next_step: nullableString({ description: "What the operator has to do, one sentence in English; null: nothing." }),
  },
  { description: "What is known of a secret. Values are never shown." },
);
export type Secret = Static<typeof Secret>;

export const Secrets = Type.Object(
  {
    environment: choice(["dev", "stage", "prod"]),
    warn_after_days: Type.Integer({ minimum: 1, description: "From this age on a secret is overdue." }),
    secrets: Type.Array(Secret),
  },
  { description: "All secrets of the installation." },
);
export type Secrets = Static<typeof Secrets>;

export const SecretPath = Type.Object({
  name: Type.String({ description: "Name of a secret.", examples: ["api-key", "worker-key:attic-gpu"] }),
});

export const RotateRequest = Type.Object(
  {
    overlap_hours: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 720,
        default: 24,
        description: "How long the former value counts beside the new one; 0: not at all.",
      }),
    ),
  },
  { additionalProperties: false },
);
export type RotateRequest = Static<typeof RotateRequest>;

export const RevokeRequest = Type.Object(
  {
    sessions: Type.Optional(
      Type.Boolean({ default: false, description: "End every session as well, of browsers and of operators." }),
    ),
  },
  { additionalProperties: false },
);
export type RevokeRequest = Static<typeof RevokeRequest>;

export const SecretChanged = Type.Object(
  {
    secret: Secret,
    written_to: nullableString({
      description: "File on the server, readable by its owner, that holds the new value; null where none was made.",
    }),
    sessions_ended: Type.Integer({ minimum: 0 }),
    next_steps: Type.Array(Type.String(), { description: "What the operator has to do now, in English." }),
  },
  { description: "What came of changing a secret." },
);
export type SecretChanged = Static<typeof SecretChanged>;

export const keyScopes = ["generate", "read_only"] as const;

export const ApiKey = Type.Object(
  {
    id: Type.String(),
    name: Type.String(),
    scope: choice(keyScopes, { description: "read_only may look, download and export, and nothing else." }),
    state: choice(["active", "expired", "revoked"]),
    created_at: time("When."),
    created_by: Type.String({ description: "The actor, as the audit log names it." }),
    expires_at: nullableTime("When it ends by itself."),
    last_used_at: nullableTime("The last request with it, as far as it is known."),
    revoked_at: nullableTime("When it was revoked."),
  },
  { description: "An API key. The key itself is shown once, when it is made." },
);
export type ApiKey = Static<typeof ApiKey>;

export const ApiKeys = Type.Object(
  { api_keys: Type.Array(ApiKey) },
  { description: "All API keys but the one of the settings, newest first, revoked ones too." },
);
export type ApiKeys = Static<typeof ApiKeys>;

export const ApiKeyRequest = Type.Object(
  {
    name: Type.String({
      pattern: "^[a-z0-9][a-z0-9-]{1,62}[a-z0-9]$",
      description: "Lower-case letters, digits and hyphens; names are not used twice, as the audit log holds them.",
      examples: ["newsletter-pictures"],
    }),
    scope: Type.Optional(choice(keyScopes, { default: "generate" })),
    expires_at: Type.Optional(Type.String({ format: "date-time", description: "A time still to come." })),
  },
  { additionalProperties: false },
);
export type ApiKeyRequest = Static<typeof ApiKeyRequest>;

export const ApiKeyCreated = Type.Object(
  { ...ApiKey.properties, key: Type.String({ description: "The key, shown this once. Send it as X-API-Key." }) },
  { description: "A new API key." },
);
export type ApiKeyCreated = Static<typeof ApiKeyCreated>;

export const ApiKeyPath = Type.Object({ id: Type.String({ description: "Id of an API key." }) });
