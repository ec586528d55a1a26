import Type, { type Static } from "typebox";
import { choice, nullable, nullableChoice, nullableInteger, nullableString, nullableTime, time } from "./fields.ts";

export const accountKinds = ["modal", "http"] as const;
export const accountStatuses = ["pending", "ready", "failed", "disabled"] as const;
export const circuitStates = ["closed", "open", "half_open"] as const;
const checkOutcomes = ["ok", "failed"] as const;

const workspacePattern = "^[a-z0-9-]{3,64}$";

export const WorkspacePath = Type.Object({
  workspace: Type.String({ description: "Name of a registered workspace.", examples: ["attic-gpu"] }),
});

const slotLimits = { minimum: 0, maximum: 64 };
const containers = { minimum: 0, maximum: 64 };

export const AccountSlots = Type.Object(
  { image: Type.Integer(slotLimits), video: Type.Integer(slotLimits) },
  { description: "How many tasks of each type it is given at once." },
);

const label = Type.String({
  minLength: 1,
  maxLength: 100,
  // Without control characters, written so that every language reads it.
  pattern: "^[^\\u0000-\\u001f\\u007f-\\u009f]*[^\\u0000-\\u001f\\u007f-\\u009f\\s][^\\u0000-\\u001f\\u007f-\\u009f]*$",
  description: "A name for people.",
});
const baseUrl = Type.String({
  minLength: 1,
  maxLength: 2000,
  description: "Where the worker is. https, or http on loopback; private addresses only from WORKER_NETWORKS.",
});
const workerKey = Type.String({
  minLength: 16,
  maxLength: 512,
  pattern: "^[\\x21-\\x7e]+$",
  description: "The key that the worker asks for. Stored encrypted, shown never.",
});
const modalToken = (description: string) =>
  Type.String({ minLength: 1, maxLength: 256, pattern: "^[\\x21-\\x7e]+$", description });
const tokenId = modalToken("Id of a Modal token. Stored encrypted, shown never.");
const tokenSecret = modalToken("Secret of a Modal token. Stored encrypted, shown never.");
const plainHttp = Type.Boolean({ description: "Plain http beyond this machine: others on the way can read the key." });
const wantedSlots = Type.Object(
  { image: Type.Optional(Type.Integer(slotLimits)), video: Type.Optional(Type.Integer(slotLimits)) },
  { additionalProperties: false, description: "1 each unless told." },
);

export const AccountRequest = Type.Object(
  {
    label,
    workspace: Type.String({ pattern: workspacePattern, description: "Its name, once and for all." }),
    kind: choice(accountKinds, { description: "modal takes token_id and token_secret, http base_url and worker_key." }),
    token_id: Type.Optional(tokenId),
    token_secret: Type.Optional(tokenSecret),
    base_url: Type.Optional(baseUrl),
    worker_key: Type.Optional(workerKey),
    slots: Type.Optional(wantedSlots),
    min_containers: Type.Optional(Type.Integer({ ...containers, default: 0 })),
    max_containers: Type.Optional(Type.Integer({ ...containers, minimum: 1, default: 1 })),
    allow_plain_http: Type.Optional(plainHttp),
  },
  { description: "Registers a workspace.", additionalProperties: false },
);
export type AccountRequest = Static<typeof AccountRequest>;

export const AccountChange = Type.Object(
  {
    label: Type.Optional(label),
    base_url: Type.Optional(baseUrl),
    slots: Type.Optional(wantedSlots),
    min_containers: Type.Optional(Type.Integer(containers)),
    max_containers: Type.Optional(Type.Integer({ ...containers, minimum: 1 })),
    allow_plain_http: Type.Optional(plainHttp),
  },
  { description: "What is left out stays as it is.", additionalProperties: false, minProperties: 1 },
);
export type AccountChange = Static<typeof AccountChange>;

export const AccountCredentials = Type.Object(
  {
    token_id: Type.Optional(tokenId),
    token_secret: Type.Optional(tokenSecret),
    worker_key: Type.Optional(workerKey),
  },
  {
    description: "New credentials: worker_key for the kind http, token_id and token_secret for modal.",
    additionalProperties: false,
  },
);
export type AccountCredentials = Static<typeof AccountCredentials>;

export const DrainRequest = Type.Object(
  { draining: Type.Optional(Type.Boolean({ default: true, description: "false ends it." })) },
  { description: "Begins or ends draining.", additionalProperties: false },
);
export type DrainRequest = Static<typeof DrainRequest>;

export const ForceQuery = Type.Object({
  force: Type.Optional(
    choice(["0", "1", ""], { default: "0", description: "1, or no value at all, cancels what runs there." }),
  ),
});
export type ForceQuery = Static<typeof ForceQuery>;

const status = choice(accountStatuses, { description: "Changed by checks, enable and disable, and by nothing else." });
const AccountModels = Type.Array(
  Type.Object({
    id: Type.String(),
    modes: Type.Array(Type.String()),
    offered: Type.Boolean({ description: "In the last good check; false: it was once." }),
  }),
  { description: "What it offers: models with their weights in place." },
);

const health = {
  last_health_at: nullableTime("When it was last checked."),
  last_health_status: nullableChoice(checkOutcomes),
  last_error: nullableString({ description: "Why the last check was bad." }),
  last_error_code: nullableString({ description: "The same as a code; translate by it." }),
  latency_ms: nullableInteger({ minimum: 0, description: "How long the last check took." }),
  models: AccountModels,
};

export const Account = Type.Object(
  {
    id: Type.String(),
    label: Type.String(),
    workspace: Type.String(),
    kind: choice(accountKinds),
    base_url: nullableString({ description: "null for a Modal workspace before its first deploy." }),
    status,
    draining: Type.Boolean({ description: "Finishes what runs and takes no more." }),
    added_at: time("When it was registered."),
    updated_at: time("The last change."),
    last_used: nullableTime("When it was last given a task."),
    use_count: Type.Integer({ minimum: 0, description: "Tasks it was given." }),
    running: Type.Object(
      { image: Type.Integer({ minimum: 0 }), video: Type.Integer({ minimum: 0 }) },
      { description: "Tasks of each type that run there now." },
    ),
    circuit: Type.Object(
      {
        state: choice(circuitStates, {
          description:
            "open: gets no tasks after runs that failed; half_open: one task tries whether it is well again.",
        }),
        failures: Type.Integer({ minimum: 0, description: "Failed runs that count now; three open it." }),
        until: nullableTime("While open, when it is tried again."),
      },
      { description: "Whether its runs fail. Checks and status know nothing of it." },
    ),
    slots: AccountSlots,
    min_containers: Type.Integer(),
    max_containers: Type.Integer(),
    allow_plain_http: Type.Boolean(),
    credentials_changed_at: time("When its credentials were last replaced."),
    ...health,
  },
  { description: "A worker account. Credentials are never shown." },
);
export type Account = Static<typeof Account>;

export const Accounts = Type.Object(
  { accounts: Type.Array(Account) },
  { description: "Every worker account, newest first." },
);
export type Accounts = Static<typeof Accounts>;

export const AccountAdded = Type.Object(
  { id: Type.String(), workspace: Type.String(), status: choice(["pending"]), message: Type.String() },
  { description: "The workspace is registered; it becomes ready with its first good check." },
);
export type AccountAdded = Static<typeof AccountAdded>;

export const AccountState = Type.Object(
  { id: Type.String(), workspace: Type.String(), status, draining: Type.Boolean() },
  { description: "How an account stands after a change." },
);
export type AccountState = Static<typeof AccountState>;

export const AccountDeleted = Type.Object(
  { deleted: Type.Literal(true), id: Type.String() },
  { description: "The account is gone; its results stay." },
);
export type AccountDeleted = Static<typeof AccountDeleted>;

const counts = { image: Type.Integer(), video: Type.Integer(), total: Type.Integer() };

export const AccountHealth = Type.Object(
  {
    id: Type.String(),
    workspace: Type.String(),
    status,
    ...health,
    worker: nullable(
      Type.Object(
        {
          name: Type.String(),
          version: Type.String(),
          engine: Type.String(),
          slots: Type.Object(counts),
          busy: Type.Object(counts),
          warm_models: Type.Array(Type.String()),
          gpus: Type.Array(Type.Object({ name: Type.String(), memory_bytes: Type.Integer() })),
        },
        { description: "What the worker said of itself in its last good check." },
      ),
    ),
    history: Type.Array(
      Type.Object({
        checked_at: time("When."),
        outcome: choice(checkOutcomes),
        latency_ms: nullableInteger(),
        error_code: nullableString(),
      }),
      { description: "The last checks, newest first; at most 100." },
    ),
  },
  { description: "How a worker account was found." },
);
export type AccountHealth = Static<typeof AccountHealth>;
