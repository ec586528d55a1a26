import Type, { type Static } from "typebox";
import { choice, nullableString, time } from "./fields.ts";
import { taskFields } from "./status.ts";
import { itemFields, pageFacts } from "./tasks.ts";

export const partStates = ["ok", "degraded", "failed"] as const;

export const AdminHealth = Type.Object(
  {
    ok: Type.Boolean({ description: "No part has failed." }),
    ready_accounts: Type.Integer({ minimum: 0 }),
    parts: Type.Array(
      Type.Object({
        name: Type.String({ examples: ["database", "worker_accounts"] }),
        state: choice(partStates),
        detail: Type.String({ description: "One sentence in English." }),
      }),
      { description: "One entry for each part of the server." },
    ),
  },
  { description: "How the parts of the installation are." },
);
export type AdminHealth = Static<typeof AdminHealth>;

export const AuditEvent = Type.Object(
  {
    id: Type.Integer({ minimum: 1, description: "Rises with every event." }),
    timestamp: time("When."),
    actor: Type.Object({
      type: choice(["admin", "system", "client"]),
      id: Type.String({ description: "Tells actors apart; no secret." }),
    }),
    source: Type.String({ description: "IP address, or local for the server itself." }),
    action: Type.String(),
    target: nullableString({ description: "What it was done to." }),
    outcome: choice(["success", "failure"]),
    details: Type.Record(Type.String(), Type.Unknown()),
    correlation_id: Type.String({ description: "Finds the request in the server's log." }),
    previous_hash: nullableString(),
    hash: nullableString(),
  },
  { description: "Something an operator, a client or the server itself did. Rows are only ever added." },
);
export type AuditEvent = Static<typeof AuditEvent>;

export const AuditPage = Type.Object(
  {
    logs: Type.Array(AuditEvent),
    has_more: Type.Boolean(),
    next_cursor: nullableString({ description: "Gives the next, older page; null at the end." }),
  },
  { description: "One page of the audit log, newest first." },
);
export type AuditPage = Static<typeof AuditPage>;

const when = { format: "date-time" };

export const AuditQuery = Type.Object({
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 500, default: 100 })),
  cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: "next_cursor of the page before." })),
  action: Type.Optional(Type.String({ minLength: 1, maxLength: 64 })),
  actor: Type.Optional(
    Type.String({ minLength: 1, maxLength: 128, description: "A type (admin, system, client) or the id of an actor." }),
  ),
  outcome: Type.Optional(choice(["success", "failure"])),
  from: Type.Optional(Type.String({ ...when, description: "At this time or later." })),
  to: Type.Optional(Type.String({ ...when, description: "At this time or earlier." })),
});
export type AuditQuery = Static<typeof AuditQuery>;

/** Why one executor does not take a task that waits; the same codes say it shortly to creators. */
export const waitingCodes = [
  "busy",
  "disabled",
  "draining",
  "not_ready",
  "model_not_offered",
  "mode_not_offered",
  "resting",
  "pinned_elsewhere",
  "queue_paused",
  "no_slots",
  "stepped_aside",
  "behind_others",
] as const;
export type WaitingCode = (typeof waitingCodes)[number];

export const WaitingFor = Type.Object(
  {
    workspace: Type.String({ description: "A registered workspace, or embedded." }),
    code: Type.String({ description: `Translate by it: ${waitingCodes.join(", ")}.` }),
    detail: Type.String({ description: "One sentence in English." }),
  },
  { description: "Why a workspace does not take a task that waits." },
);
export type WaitingFor = Static<typeof WaitingFor>;

export const AdminTask = Type.Object(
  {
    ...itemFields,
    ...taskFields,
    executor: nullableString({ description: "What runs or ran it: embedded, or a workspace; null before its start." }),
    waiting: Type.Array(WaitingFor, {
      description:
        "For a pending task each workspace, and the embedded engine, with the reason why it does not take it.",
    }),
    front: Type.Boolean({ description: "Put before all others while it waits." }),
  },
  { description: "A task as operators see it." },
);
export type AdminTask = Static<typeof AdminTask>;

export const AdminTasksPage = Type.Object(
  { items: Type.Array(AdminTask), ...pageFacts },
  { description: "One page of all tasks, for operators." },
);
export type AdminTasksPage = Static<typeof AdminTasksPage>;
