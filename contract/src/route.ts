import type { TObject, TSchema } from "typebox";
import type { Endpoint } from "./endpoints.ts";
import type { ErrorCode } from "./errors.ts";

/**
 * Who may call a route. `public`: anyone. `cookie`: the holder of a gg_session cookie. `client`: the first one present of
 * X-API-Key header, api_key query and gg_session cookie decides. `admin-key`: whoever sends X-Admin-Key. `admin`: the holder of a
 * gg_admin_session cookie. `metrics`: that, or whoever sends the metrics token as bearer.
 */
export type Access = "public" | "cookie" | "client" | "admin-key" | "admin" | "metrics";

export interface RouteResponse {
  readonly description: string;
  /** Without one the answer has no body. */
  readonly content_type?: string;
  /** Further content types the same answer may have. */
  readonly other_content_types?: readonly string[];
  readonly schema?: TSchema;
  /** Of a stream: its events by name, where they are others than those of tasks. */
  readonly events?: Readonly<Record<string, TSchema>>;
  /** Header name to what it says. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface RouteBody {
  readonly content_type: string;
  readonly schema: TSchema;
  /** Further content types that the route takes, each with its own schema; the handler reads those itself. */
  readonly other_content_types?: Readonly<Record<string, TSchema>>;
  readonly required: boolean;
  /** The schema is published; the judgement with its own error codes is the catalog's `checkRequest`. */
  readonly judged_by_catalog?: boolean;
}

/** One route: what the server registers, the document shows and the client calls. */
export interface Route extends Endpoint {
  readonly name: string;
  readonly group: "auth" | "models" | "uploads" | "tasks" | "gallery" | "events" | "media" | "admin" | "system";
  readonly access: Access;
  readonly summary: string;
  readonly description: string;
  readonly path_parameters?: TObject;
  readonly query?: TObject;
  /** Lower-case names. */
  readonly headers?: TObject;
  readonly body?: RouteBody;
  /** What the route answers when it does what it was asked. */
  readonly responses: Readonly<Record<number, RouteResponse>>;
  /** Every code it may refuse with, in the order in which they are checked. */
  readonly errors: readonly ErrorCode[];
}
