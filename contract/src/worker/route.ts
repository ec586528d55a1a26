import type { TObject, TSchema } from "typebox";
import type { Endpoint } from "../endpoints.ts";
import type { RouteResponse } from "../route.ts";
import type { WorkerErrorCode } from "./errors.ts";

/** One route of a worker: what a worker must answer, the document shows and the gateway's client expects. */
export interface WorkerRoute extends Endpoint {
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  readonly path_parameters?: TObject;
  readonly query?: TObject;
  /** Lower-case names, besides Authorization and Safelight-Protocol, which every request carries. */
  readonly headers?: TObject;
  readonly body?: { readonly content_types: readonly [string, ...string[]]; readonly schema: TSchema };
  readonly responses: Readonly<Record<number, RouteResponse>>;
  /** Every code it may refuse with, in the order in which they are checked. */
  readonly errors: readonly WorkerErrorCode[];
}
