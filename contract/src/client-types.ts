/** What each client method takes and gives, read off the route table. Types only. */
import type { Static, TSchema } from "typebox";
import type { Routes } from "./routes.ts";

/** Routes that answer JSON or nothing. Uploads, files and streams have methods of their own. */
export type JsonRoute =
  | "createSession"
  | "getSession"
  | "deleteSession"
  | "listModels"
  | "generate"
  | "getStatus"
  | "cancelTask"
  | "listTasks"
  | "getTask"
  | "listGallery"
  | "deleteTask"
  | "deleteTasks"
  | "setFavourite"
  | "createAdminSession"
  | "getAdminSession"
  | "deleteAdminSession"
  | "getAdminHealth"
  | "listAuditEvents"
  | "verifyAudit"
  | "createAuditCheckpoint"
  | "noteBackup"
  | "listAllTasks"
  | "cancelAnyTask"
  | "listAccounts"
  | "addAccount"
  | "getAccount"
  | "updateAccount"
  | "deleteAccount"
  | "getAccountHealth"
  | "checkAccount"
  | "enableAccount"
  | "disableAccount"
  | "drainAccount"
  | "rotateAccount"
  | "deployAccount"
  | "rollbackAccount"
  | "deployAll"
  | "listDeployments"
  | "getDeployment"
  | "cancelDeployment"
  | "listSecrets"
  | "rotateSecret"
  | "revokeSecret"
  | "retireSecret"
  | "recoverSecret"
  | "listApiKeys"
  | "createApiKey"
  | "revokeApiKey"
  | "getQueue"
  | "pauseQueue"
  | "resumeQueue"
  | "frontTask"
  | "getStatistics"
  | "getStorage"
  | "getHealth"
  | "getOpenApi";

type Part<Name extends JsonRoute, Key extends string> = Routes[Name] extends {
  readonly [K in Key]: infer S extends TSchema;
}
  ? Static<S>
  : undefined;

type PathPart<Name extends JsonRoute> =
  Part<Name, "path_parameters"> extends undefined
    ? unknown
    : { readonly path: Readonly<Part<Name, "path_parameters">> };
type QueryPart<Name extends JsonRoute> =
  Part<Name, "query"> extends undefined ? unknown : { readonly query?: Readonly<Part<Name, "query">> };
type HeaderPart<Name extends JsonRoute> =
  Part<Name, "headers"> extends undefined ? unknown : { readonly headers?: Readonly<Part<Name, "headers">> };
type BodyPart<Name extends JsonRoute> = Routes[Name] extends {
  readonly body: { readonly schema: infer S extends TSchema; readonly required: infer R };
}
  ? R extends true
    ? { readonly body: Static<S> }
    : { readonly body?: Static<S> }
  : unknown;

export type RequestOf<Name extends JsonRoute> = PathPart<Name> &
  QueryPart<Name> &
  HeaderPart<Name> &
  BodyPart<Name> & { readonly signal?: AbortSignal };

/** The request may be left out where it has no required part. */
export type Arguments<Name extends JsonRoute> =
  Record<string, never> extends RequestOf<Name> ? [request?: RequestOf<Name>] : [request: RequestOf<Name>];

type SuccessBody<R> = R extends { readonly schema: infer S extends TSchema } ? Static<S> : undefined;

export type ResponseOf<Name extends JsonRoute> = SuccessBody<
  Routes[Name]["responses"][keyof Routes[Name]["responses"]]
>;
