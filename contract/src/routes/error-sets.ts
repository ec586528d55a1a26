/**
 * What groups of routes may refuse with. The order of checks is the same everywhere: throttle, Host and Origin,
 * credentials, size and media type, JSON, schema; a route lists its codes in that order.
 */
import type { ErrorCode } from "../errors.ts";

export const json = "application/json";

export const origin = ["host_not_allowed", "cors_origin_blocked"] as const satisfies readonly ErrorCode[];

export const cookie = [
  "session_required",
  "session_expired",
  "auth_unavailable",
] as const satisfies readonly ErrorCode[];

export const client = ["invalid_api_key", ...cookie] as const satisfies readonly ErrorCode[];

/** Of routes for operators: the limit, where they come from, the cookie of an admin session and the room for the audit row. */
export const door = ["rate_limited", ...origin, ...cookie] as const satisfies readonly ErrorCode[];

export const jsonBody = [
  "payload_too_large",
  "unsupported_media_type",
  "malformed_json",
  "validation_failed",
] as const satisfies readonly ErrorCode[];

/** Of routes that know the tasks of this installation only: `workspace::id` names nothing there. */
export const oneTask = ["proxy_target_invalid", "not_found", "task_not_found"] as const satisfies readonly ErrorCode[];

/** Of routes that also ask a workspace for one of its tasks. */
export const anyTask = [
  "proxy_target_invalid",
  "task_not_found",
  "worker_unreachable",
] as const satisfies readonly ErrorCode[];

export const machine = ["storage_unavailable", "internal"] as const satisfies readonly ErrorCode[];
