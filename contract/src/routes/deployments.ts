/** Deploying the worker to Modal workspaces, and going back to the version before. */
import Type from "typebox";
import { endpoints } from "../endpoints.ts";
import { WorkspacePath } from "../schemas/accounts.ts";
import {
  Deployment,
  DeploymentDetail,
  DeploymentEventsHeaders,
  DeploymentPath,
  DeploymentQueued,
  DeploymentsPage,
  DeploymentsQuery,
  DeploymentsQueued,
  deploymentEventSchemas,
} from "../schemas/deployments.ts";
import { door, json, machine } from "./error-sets.ts";

const one = [...door, "not_found", ...machine] as const;
const account = [...door, "not_found", "validation_failed", ...machine] as const;

const queued = {
  description: "It is queued.",
  content_type: json,
  schema: DeploymentQueued,
  headers: { Location: "The deployment." },
};

export const deploymentRoutes = {
  deployAccount: {
    name: "deployAccount",
    ...endpoints.deployAccount,
    group: "admin",
    access: "admin",
    summary: "Deploy the worker to an account",
    description:
      "Queues a deploy of the worker to a Modal workspace. Accounts of another kind are refused. When it has succeeded the account gets the address of its worker and is checked.",
    path_parameters: WorkspacePath,
    responses: { 202: queued },
    errors: account,
  },
  rollbackAccount: {
    name: "rollbackAccount",
    ...endpoints.rollbackAccount,
    group: "admin",
    access: "admin",
    summary: "Go back to the deployment before",
    description:
      "Queues a deploy of the kept source and settings of the last deployment that worked before the newest one. Refused when there is none, and while another deployment of the account has not ended.",
    path_parameters: WorkspacePath,
    responses: { 202: queued },
    errors: account,
  },
  deployAll: {
    name: "deployAll",
    ...endpoints.deployAll,
    group: "admin",
    access: "admin",
    summary: "Deploy the worker to every account",
    description: "Queues a deploy for each Modal workspace; disabled ones are skipped. Two run at a time.",
    responses: { 202: { description: "They are queued.", content_type: json, schema: DeploymentsQueued } },
    errors: [...door, ...machine],
  },
  listDeployments: {
    name: "listDeployments",
    ...endpoints.listDeployments,
    group: "admin",
    access: "admin",
    summary: "List deployments",
    description:
      "Deployments of all accounts or of one, newest first, without their logs. Those of deleted accounts stay.",
    query: DeploymentsQuery,
    responses: { 200: { description: "One page.", content_type: json, schema: DeploymentsPage } },
    errors: [...door, "validation_failed", ...machine],
  },
  getDeployment: {
    name: "getDeployment",
    ...endpoints.getDeployment,
    group: "admin",
    access: "admin",
    summary: "Read a deployment",
    description: "One deployment with its log. Secrets never stand in it.",
    path_parameters: DeploymentPath,
    responses: { 200: { description: "The deployment.", content_type: json, schema: DeploymentDetail } },
    errors: one,
  },
  cancelDeployment: {
    name: "cancelDeployment",
    ...endpoints.cancelDeployment,
    group: "admin",
    access: "admin",
    summary: "Cancel a deployment",
    description:
      "A queued deployment ends at once; the command of a running one is ended and it fails with the code cancelled soon after. One that has ended is answered unchanged.",
    path_parameters: DeploymentPath,
    responses: { 200: { description: "The deployment after the request.", content_type: json, schema: Deployment } },
    errors: one,
  },
  deploymentEvents: {
    name: "deploymentEvents",
    ...endpoints.deploymentEvents,
    group: "admin",
    access: "admin",
    summary: "Follow a deployment",
    description:
      "Begins with the deployment, tells its log from the line after Last-Event-ID, follows it live and ends with the deployment as it ended.",
    path_parameters: DeploymentPath,
    headers: DeploymentEventsHeaders,
    responses: {
      200: {
        description:
          "Server-sent events: deployment.log and deployment.updated. Ids are numbers of log lines; the data of each is one of the schemas DeploymentLogEvent and Deployment.",
        content_type: "text/event-stream",
        schema: Type.String(),
        events: deploymentEventSchemas,
        headers: { "Cache-Control": "no-store." },
      },
    },
    errors: one,
  },
} as const;
