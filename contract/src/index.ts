export { describeCatalogModel } from "./catalog-model.ts";
export type { Client, ClientOptions, EventsOptions } from "./client.ts";
export { ApiError, createClient } from "./client.ts";
export type { Endpoint, RouteName } from "./endpoints.ts";
export { endpoints, pathOf } from "./endpoints.ts";
export type { ErrorCode, ErrorMeaning, TaskErrorCode, TaskErrorMeaning } from "./errors.ts";
export { errorCodes, problemType, taskErrorCodes } from "./errors.ts";
export { fileExtensionOf } from "./media-types.ts";
export { encodeForm } from "./multipart.ts";
export { buildOpenApi } from "./openapi.ts";
export type { Access, Route, RouteBody, RouteResponse } from "./route.ts";
export type { Routes } from "./routes.ts";
export { routes } from "./routes.ts";
export type {
  AccountChange,
  AccountCredentials,
  AccountRequest,
  DrainRequest,
  ForceQuery,
} from "./schemas/accounts.ts";
export {
  Account,
  AccountAdded,
  AccountDeleted,
  AccountHealth,
  AccountState,
  Accounts,
  accountKinds,
  accountStatuses,
  circuitStates,
} from "./schemas/accounts.ts";
export type { AuditQuery, WaitingCode } from "./schemas/admin.ts";
export {
  AdminHealth,
  AdminTask,
  AdminTasksPage,
  AuditEvent,
  AuditPage,
  partStates,
  WaitingFor,
  waitingCodes,
} from "./schemas/admin.ts";
export { AdminSessionState } from "./schemas/admin-session.ts";
export type { AuditAction, BrokenCheckpointCode, BrokenRowCode } from "./schemas/audit.ts";
export {
  AuditCheckpoint,
  AuditPublicKey,
  AuditVerification,
  auditActions,
  BackupNote,
  brokenCheckpointCodes,
  brokenRowCodes,
  checkpointKinds,
} from "./schemas/audit.ts";
export type { DeploymentEvent, DeploymentsQuery } from "./schemas/deployments.ts";
export {
  Deployment,
  DeploymentDetail,
  DeploymentLogEvent,
  DeploymentQueued,
  DeploymentsPage,
  DeploymentsQueued,
  deploymentEventSchemas,
  deploymentKinds,
  deploymentStatuses,
} from "./schemas/deployments.ts";
export type {
  EventType,
  ServerEvent,
  TaskDeletedEvent,
  TaskFavouriteEvent,
  TaskPreviewEvent,
} from "./schemas/events.ts";
export { eventSchemas } from "./schemas/events.ts";
export { Notice } from "./schemas/fields.ts";
export {
  Favourite,
  FavouriteRequest,
  GalleryItem,
  GalleryPage,
  GalleryQuery,
  Selection,
  SelectionFilters,
  TaskDeleted,
  TasksDeleted,
} from "./schemas/gallery.ts";
export type { GenerateRequest } from "./schemas/generate.ts";
export { GenerateAnswer } from "./schemas/generate.ts";
export { Health } from "./schemas/health.ts";
export { CatalogModel, Model, Models } from "./schemas/models.ts";
export type { StatisticsQuery } from "./schemas/operations.ts";
export { FrontRequest, QueueState, Statistics, Storage, TaskFront } from "./schemas/operations.ts";
export { FieldProblem, Problem, problemContentType, StorageProblem } from "./schemas/problem.ts";
export {
  ApiKey,
  ApiKeyCreated,
  ApiKeyRequest,
  ApiKeys,
  keyScopes,
  RevokeRequest,
  RotateRequest,
  Secret,
  SecretChanged,
  Secrets,
  secretSources,
  secretStates,
} from "./schemas/secrets.ts";
export { SessionCreated, SessionRequest, SessionState } from "./schemas/session.ts";
export type { TaskStage, TaskStatus } from "./schemas/status.ts";
export { ResultFacts, Status, TaskProblem, taskStages, taskStatuses } from "./schemas/status.ts";
export { TaskItem, TasksPage, TasksQuery } from "./schemas/tasks.ts";
export { Upload } from "./schemas/upload.ts";
