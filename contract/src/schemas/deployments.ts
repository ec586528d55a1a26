import Type, { type Static } from "typebox";
import { choice, nullable, nullableString, nullableTime, time } from "./fields.ts";

export const deploymentKinds = ["deploy", "rollback"] as const;
export const deploymentStatuses = ["queued", "running", "done", "failed"] as const;

export const DeploymentPath = Type.Object({
  id: Type.String({ description: "Id of a deployment.", examples: ["0195a3c2-7f10-7c3e-8a52-2d6c0e4b9f40"] }),
});

const deploymentFields = {
  id: Type.String(),
  workspace: Type.String(),
  version: Type.Integer({ minimum: 1, description: "Counts the deployments of the account." }),
  kind: choice(deploymentKinds),
  rollback_of: nullableString({ description: "The deployment whose source and settings a rollback brings back." }),
  status: choice(deploymentStatuses),
  error: nullable(
    Type.Object(
      {
        code: Type.String({ description: "Why it failed; translate by it.", examples: ["token_refused"] }),
        detail: Type.String({ description: "One or two sentences in English." }),
      },
      { description: "Set when it failed." },
    ),
  ),
  base_url: nullableString({ description: "Where the worker was found after it; null until then." }),
  queued_at: time("When it was asked for."),
  started_at: nullableTime("When the command was started."),
  finished_at: nullableTime("When it ended."),
  log_lines: Type.Integer({ minimum: 0, description: "How many lines its log has so far." }),
};

export const Deployment = Type.Object(deploymentFields, {
  description: "One deploy of the worker to a Modal workspace. Its log is read on its own.",
});
export type Deployment = Static<typeof Deployment>;

export const DeploymentDetail = Type.Object(
  {
    ...deploymentFields,
    log: Type.Array(Type.String(), { description: "What the command said, without secrets; long logs are cut." }),
  },
  { description: "A deployment with its log." },
);
export type DeploymentDetail = Static<typeof DeploymentDetail>;

export const DeploymentQueued = Type.Object(
  {
    id: Type.String({ description: "Id of the account." }),
    deployment_id: Type.String(),
    status: choice(["queued"]),
    message: Type.String(),
  },
  { description: "The deployment waits for its turn; one that waits already is answered again." },
);
export type DeploymentQueued = Static<typeof DeploymentQueued>;

export const DeploymentsQueued = Type.Object(
  { deploying: Type.Integer({ minimum: 0, description: "How many accounts." }), message: Type.String() },
  { description: "Every Modal workspace that is not disabled is deployed." },
);
export type DeploymentsQueued = Static<typeof DeploymentsQueued>;

export const DeploymentsPage = Type.Object(
  {
    deployments: Type.Array(Deployment),
    has_more: Type.Boolean(),
    next_cursor: nullableString({ description: "Gives the next, older page; null at the end." }),
  },
  { description: "One page of deployments, newest first." },
);
export type DeploymentsPage = Static<typeof DeploymentsPage>;

export const DeploymentsQuery = Type.Object({
  workspace: Type.Optional(Type.String({ minLength: 1, maxLength: 64, description: "Of this workspace only." })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, default: 20 })),
  cursor: Type.Optional(Type.String({ minLength: 1, maxLength: 100, description: "next_cursor of the page before." })),
});
export type DeploymentsQuery = Static<typeof DeploymentsQuery>;

export const DeploymentLogEvent = Type.Object(
  {
    from: Type.Integer({ minimum: 0, description: "How many lines of the log come before these." }),
    lines: Type.Array(Type.String()),
  },
  { description: "Further lines of a deployment's log. The id of the event is the number of lines up to its end." },
);
export type DeploymentLogEvent = Static<typeof DeploymentLogEvent>;

/** Events of the stream of one deployment. It ends after the deployment.updated that says done or failed. */
export const deploymentEventSchemas = {
  "deployment.log": DeploymentLogEvent,
  "deployment.updated": Deployment,
} as const;

/** One event as a client reads it. `id` is null where it does not move the place in the log. */
export type DeploymentEvent = {
  [Name in keyof typeof deploymentEventSchemas]: {
    id: number | null;
    type: Name;
    data: Static<(typeof deploymentEventSchemas)[Name]>;
  };
}[keyof typeof deploymentEventSchemas];

export const DeploymentEventsHeaders = Type.Object({
  "last-event-id": Type.Optional(
    Type.String({ description: "How many lines of the log were seen; it goes on after them." }),
  ),
});
