/** Names of schemas in the OpenAPI document. A named schema stands once under `components` and is referred to elsewhere. */
import type { TSchema } from "typebox";
import {
  Account,
  AccountAdded,
  AccountChange,
  AccountCredentials,
  AccountDeleted,
  AccountHealth,
  AccountRequest,
  AccountSlots,
  AccountState,
  Accounts,
  DrainRequest,
} from "./schemas/accounts.ts";
import { AdminHealth, AdminTask, AdminTasksPage, AuditEvent, AuditPage, WaitingFor } from "./schemas/admin.ts";
import { AdminSessionState } from "./schemas/admin-session.ts";
import { AuditCheckpoint, AuditVerification, BackupNote } from "./schemas/audit.ts";
import {
  Deployment,
  DeploymentDetail,
  DeploymentLogEvent,
  DeploymentQueued,
  DeploymentsPage,
  DeploymentsQueued,
} from "./schemas/deployments.ts";
import { StreamResetEvent, TaskDeletedEvent, TaskFavouriteEvent, TaskPreviewEvent } from "./schemas/events.ts";
import { Notice } from "./schemas/fields.ts";
import {
  Favourite,
  FavouriteRequest,
  GalleryItem,
  GalleryPage,
  Selection,
  SelectionFilters,
  SelectionForm,
  TaskDeleted,
  TasksDeleted,
} from "./schemas/gallery.ts";
import { GenerateAnswer, GenerateBody, pairSchemas } from "./schemas/generate.ts";
import { Health } from "./schemas/health.ts";
import {
  KeyframeFieldFacts,
  LicenceFacts,
  LocalText,
  ModeFacts,
  Model,
  Models,
  ParameterFacts,
  PresetFacts,
} from "./schemas/models.ts";
import { FrontRequest, QueueState, Statistics, Storage, TaskFront } from "./schemas/operations.ts";
import { ErrorCodeSchema, FieldProblem, Problem, StorageProblem } from "./schemas/problem.ts";
import {
  ApiKey,
  ApiKeyCreated,
  ApiKeyRequest,
  ApiKeys,
  RevokeRequest,
  RotateRequest,
  Secret,
  SecretChanged,
  Secrets,
} from "./schemas/secrets.ts";
import { SessionCreated, SessionRequest, SessionState } from "./schemas/session.ts";
import { ResultFacts, Status, TaskErrorCodeSchema, TaskProblem } from "./schemas/status.ts";
import { TaskItem, TasksPage } from "./schemas/tasks.ts";
import { Upload } from "./schemas/upload.ts";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Every named schema by its name; a name that a release has shown stays. */
export const namedSchemas: Readonly<Record<string, TSchema>> = {
  Account,
  AccountAdded,
  AccountChange,
  AccountCredentials,
  AccountDeleted,
  AccountHealth,
  AccountRequest,
  Accounts,
  AccountSlots,
  AccountState,
  AdminHealth,
  AdminSessionState,
  AdminTask,
  AdminTasksPage,
  ApiKey,
  ApiKeyCreated,
  ApiKeyRequest,
  ApiKeys,
  RevokeRequest,
  RotateRequest,
  Secret,
  SecretChanged,
  Secrets,
  AuditCheckpoint,
  AuditEvent,
  AuditPage,
  AuditVerification,
  BackupNote,
  WaitingFor,
  Deployment,
  DeploymentDetail,
  DeploymentLogEvent,
  DeploymentQueued,
  DeploymentsPage,
  DeploymentsQueued,
  DrainRequest,
  ErrorCode: ErrorCodeSchema,
  Favourite,
  FavouriteRequest,
  FieldProblem,
  FrontRequest,
  GalleryItem,
  GalleryPage,
  GenerateAnswer,
  GenerateRequest: GenerateBody,
  ...Object.fromEntries(pairSchemas.map(({ name, schema }) => [name, schema])),
  Health,
  KeyframeField: KeyframeFieldFacts,
  Licence: LicenceFacts,
  LocalText,
  Mode: ModeFacts,
  Model,
  Models,
  Notice,
  Parameter: ParameterFacts,
  Preset: PresetFacts,
  Problem,
  QueueState,
  ResultFacts,
  Selection,
  SelectionFilters,
  SelectionForm,
  SessionCreated,
  SessionRequest,
  SessionState,
  Statistics,
  Status,
  Storage,
  StorageProblem,
  StreamResetEvent,
  TaskDeleted,
  TaskDeletedEvent,
  TaskErrorCode: TaskErrorCodeSchema,
  TaskFavouriteEvent,
  TaskFront,
  TaskItem,
  TaskPreviewEvent,
  TaskProblem,
  TasksDeleted,
  TasksPage,
  Upload,
};

// Compared as text: a schema that was put into another one may be a copy.
const references = new Map<string, Json>(
  Object.entries(namedSchemas).flatMap(([name, schema]): [string, Json][] => {
    const reference = { $ref: `#/components/schemas/${name}` };
    const orNull = JSON.stringify({ ...schema, type: ["object", "null"] });
    return [
      [JSON.stringify(schema), reference],
      [orNull, { anyOf: [reference, { type: "null" }] }],
    ];
  }),
);

/** The schema as it stands inside another one: named parts become references. */
export function referring(schema: unknown): Json {
  const isObject = typeof schema === "object" && schema !== null;
  return (isObject ? references.get(JSON.stringify(schema)) : undefined) ?? spelledOut(schema);
}

/** The schema itself written out, its parts referring. */
export function spelledOut(schema: unknown): Json {
  if (Array.isArray(schema)) return schema.map(referring);
  if (typeof schema !== "object" || schema === null) return schema as Json;
  return Object.fromEntries(Object.entries(schema).map(([key, value]: [string, unknown]) => [key, referring(value)]));
}
