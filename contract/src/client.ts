/**
 * A typed client of the whole contract for browsers and Node. It knows methods and paths (`endpoints.ts`) and takes its
 * types from the route table; no schema travels with it.
 */

import { apiErrorOf } from "./client-error.ts";
import { type EventsOptions, followDeployment, followEvents } from "./client-events.ts";
import type { Arguments, JsonRoute, RequestOf, ResponseOf } from "./client-types.ts";
import { endpoints, pathOf } from "./endpoints.ts";
import { encodeForm } from "./multipart.ts";
import type { DeploymentEvent } from "./schemas/deployments.ts";
import type { ServerEvent } from "./schemas/events.ts";
import type { Selection } from "./schemas/gallery.ts";
import type { Upload } from "./schemas/upload.ts";

export { ApiError } from "./client-error.ts";
export type { EventsOptions } from "./client-events.ts";

export interface ClientOptions {
  /** Where the API is: an origin, with a path below which it lives if it has one. "" means the page's own origin. */
  readonly baseUrl: string;
  /** Sent as X-API-Key; without one the browser's session cookie counts. */
  readonly apiKey?: string;
  readonly fetch?: typeof globalThis.fetch;
  /** As in fetch; "same-origin" unless told. */
  readonly credentials?: "omit" | "same-origin" | "include";
}

type JsonMethods = { readonly [Name in JsonRoute]: (...args: Arguments<Name>) => Promise<ResponseOf<Name>> };

/** Which bytes of a file are wanted, and how; `signal` ends the transfer. */
export interface FileRequest {
  readonly path: { readonly id: string };
  readonly query?: { readonly download?: "0" | "1"; readonly metadata?: "0" | "1"; readonly thumbnail?: "0" | "1" };
  /** Such as `{ range: "bytes=0-1023" }`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/**
 * JSON methods answer the parsed body, file methods the Response; every refusal is thrown as `ApiError`, a broken
 * connection as the error of fetch, an abort as AbortError. `getStatus`, `cancelTask`, `getResult` and `getPreview` also take the id
 * `workspace::id`, a task inside a registered workspace.
 */
export interface Client extends JsonMethods {
  getResult(request: FileRequest): Promise<Response>;
  getPreview(request: FileRequest): Promise<Response>;
  getUpload(request: FileRequest): Promise<Response>;
  /** A zip of many results, to be read as it comes; a page that wants it on disk submits a form to the same route. */
  exportTasks(request: { readonly body: Selection; readonly signal?: AbortSignal }): Promise<Response>;
  /** The audit log, to be read as it comes. */
  exportAudit(request?: { readonly signal?: AbortSignal }): Promise<Response>;
  /** The metrics in Prometheus text, for an admin session. */
  getMetrics(request?: { readonly signal?: AbortSignal }): Promise<string>;
  /** Uploads one picture; the answer's id goes into picture parameters. */
  upload(file: Blob, name?: string, options?: { readonly signal?: AbortSignal }): Promise<Upload>;
  /** Events of one task until it has ended, or of all tasks until `signal`; reconnects by itself. */
  events(options?: EventsOptions): AsyncIterableIterator<ServerEvent>;
  /** The log and the states of one deployment until it has ended or until `signal`; reconnects by itself. */
  deploymentEvents(options: EventsOptions & { readonly id: string }): AsyncIterableIterator<DeploymentEvent>;
  /** The address of a route, to be put into a link or a media element. */
  urlOf(name: keyof typeof endpoints, path?: Readonly<Record<string, string>>): string;
}

interface Call {
  readonly path?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

type Send = (name: keyof typeof endpoints, call: Call) => Promise<Response>;

/** Makes a client. It holds no connection and needs no closing. */
export function createClient(options: ClientOptions): Client {
  const send = sender(options);
  const json: JsonMethod = <Name extends JsonRoute>(name: Name) => {
    return async (call?: RequestOf<Name>): Promise<ResponseOf<Name>> => {
      const response = await send(name, (call ?? {}) as Call);
      return (response.status === 204 ? undefined : await response.json()) as ResponseOf<Name>;
    };
  };
  const urlOf: Client["urlOf"] = (name, path) => joinUrl(options.baseUrl, pathOf(name, path));
  return {
    createSession: json("createSession"),
    getSession: json("getSession"),
    deleteSession: json("deleteSession"),
    listModels: json("listModels"),
    generate: json("generate"),
    getStatus: json("getStatus"),
    cancelTask: json("cancelTask"),
    listTasks: json("listTasks"),
    getTask: json("getTask"),
    listGallery: json("listGallery"),
    deleteTask: json("deleteTask"),
    deleteTasks: json("deleteTasks"),
    setFavourite: json("setFavourite"),
    ...operatorMethods(json),
    getMetrics: async (request = {}) => (await send("getMetrics", request)).text(),
    getHealth: json("getHealth"),
    getOpenApi: json("getOpenApi"),
    getResult: (request) => send("getResult", request),
    getPreview: (request) => send("getPreview", request),
    getUpload: (request) => send("getUpload", request),
    exportAudit: (request = {}) => send("exportAudit", request),
    exportTasks: (request) => send("exportTasks", request),
    async upload(file, name = "picture", { signal } = {}) {
      const body = new FormData();
      body.append("file", file, name);
      const response = await send("createUpload", { body, ...(signal === undefined ? {} : { signal }) });
      return (await response.json()) as Upload;
    },
    events: (wanted = {}) => followEvents(send, wanted),
    deploymentEvents: (wanted) => followDeployment(send, wanted),
    urlOf,
  };
}

type JsonMethod = <Name extends JsonRoute>(name: Name) => (call?: RequestOf<Name>) => Promise<ResponseOf<Name>>;

/** The JSON methods of routes for operators. */
function operatorMethods(json: JsonMethod) {
  return {
    createAdminSession: json("createAdminSession"),
    getAdminSession: json("getAdminSession"),
    deleteAdminSession: json("deleteAdminSession"),
    getAdminHealth: json("getAdminHealth"),
    listAuditEvents: json("listAuditEvents"),
    verifyAudit: json("verifyAudit"),
    createAuditCheckpoint: json("createAuditCheckpoint"),
    noteBackup: json("noteBackup"),
    listAllTasks: json("listAllTasks"),
    cancelAnyTask: json("cancelAnyTask"),
    listAccounts: json("listAccounts"),
    addAccount: json("addAccount"),
    getAccount: json("getAccount"),
    updateAccount: json("updateAccount"),
    deleteAccount: json("deleteAccount"),
    getAccountHealth: json("getAccountHealth"),
    checkAccount: json("checkAccount"),
    enableAccount: json("enableAccount"),
    disableAccount: json("disableAccount"),
    drainAccount: json("drainAccount"),
    rotateAccount: json("rotateAccount"),
    deployAccount: json("deployAccount"),
    rollbackAccount: json("rollbackAccount"),
    deployAll: json("deployAll"),
    listDeployments: json("listDeployments"),
    getDeployment: json("getDeployment"),
    cancelDeployment: json("cancelDeployment"),
    listSecrets: json("listSecrets"),
    rotateSecret: json("rotateSecret"),
    revokeSecret: json("revokeSecret"),
    retireSecret: json("retireSecret"),
    recoverSecret: json("recoverSecret"),
    listApiKeys: json("listApiKeys"),
    createApiKey: json("createApiKey"),
    revokeApiKey: json("revokeApiKey"),
    getQueue: json("getQueue"),
    pauseQueue: json("pauseQueue"),
    resumeQueue: json("resumeQueue"),
    frontTask: json("frontTask"),
    getStatistics: json("getStatistics"),
    getStorage: json("getStorage"),
  };
}

function sender({ baseUrl, apiKey, fetch = globalThis.fetch, credentials = "same-origin" }: ClientOptions): Send {
  return async (name, { path, query, headers = {}, body, signal }) => {
    const form = body instanceof FormData ? await encodeForm(body) : null;
    const sent = new Headers({ accept: "application/json" });
    for (const [key, value] of Object.entries(headers)) if (value !== undefined) sent.set(key, value);
    if (apiKey !== undefined) sent.set("x-api-key", apiKey);
    if (body !== undefined) sent.set("content-type", form?.contentType ?? "application/json");
    const response = await fetch(joinUrl(baseUrl, pathOf(name, path)) + searchOf(query), {
      method: endpoints[name].method,
      headers: sent,
      credentials,
      ...(body === undefined ? {} : { body: form?.bytes ?? JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    });
    if (response.ok || response.status === 304) return response;
    throw await apiErrorOf(response);
  };
}

function joinUrl(baseUrl: string, path: string): string {
  return baseUrl.replace(/\/+$/, "") + path;
}

function searchOf(query: Call["query"] = {}): string {
  const search = new URLSearchParams();
  for (const [key, value] of Object.entries(query)) if (value !== undefined) search.set(key, String(value));
  return search.size === 0 ? "" : `?${search.toString()}`;
}
