import { describe, expect, test } from "vitest";
import { errorCodes, problemType, taskErrorCodes } from "./errors.ts";
import type { Route } from "./route.ts";
import { routes } from "./routes.ts";

// Section 4 of the specification, once more: a code that is renamed or changes its status breaks every client.
const specification: Record<number, string[]> = {
  400: ["malformed_json"],
  401: ["invalid_api_key", "invalid_password", "session_expired", "session_required"],
  403: ["cors_origin_blocked", "host_not_allowed"],
  404: ["not_found", "proxy_target_invalid", "task_not_found"],
  405: ["method_not_allowed"],
  409: ["idempotency_conflict", "task_failed", "task_not_ended"],
  410: ["result_gone"],
  413: ["payload_too_large"],
  415: ["unsupported_media_type"],
  416: ["range_not_satisfiable"],
  422: [
    "content_refused",
    "invalid_image",
    "parameter_locked",
    "unknown_model",
    "unsupported_mode",
    "validation_failed",
  ],
  425: ["task_not_ready"],
  429: ["rate_limited"],
  500: ["internal"],
  502: ["worker_unreachable"],
  503: ["auth_unavailable", "no_workers", "queue_full", "storage_unavailable"],
};

describe("error codes", () => {
  test("are those of the specification, each with its status (FR-010, SC-005)", () => {
    const byStatus: Record<number, string[]> = {};
    for (const [code, { status }] of Object.entries(errorCodes)) (byStatus[status] ??= []).push(code);
    for (const codes of Object.values(byStatus)) codes.sort();
    expect(byStatus).toEqual(specification);
  });

  test("of failed tasks are those of the specification", () => {
    expect(Object.keys(taskErrorCodes).sort()).toEqual([
      "cancelled",
      "content_refused",
      "engine_failed",
      "no_workers",
      "out_of_memory",
      "result_invalid",
      "storage_failed",
      "timed_out",
      "worker_lost",
    ]);
  });

  test("say what they mean and what to do, in sentences", () => {
    for (const [code, meaning] of Object.entries({ ...errorCodes, ...taskErrorCodes })) {
      expect(meaning.title, code).toMatch(/^[A-Z].*[^.]$/);
      expect(meaning.user_action, code).toMatch(/^[A-Z].*\.$/);
    }
  });

  test("have a type of their own", () => {
    const types = Object.keys(errorCodes).map((code) => problemType(code as keyof typeof errorCodes));
    expect(new Set(types).size).toBe(types.length);
    expect(types).toContain("urn:safelight:problem:validation-failed");
    for (const type of types) expect(() => new URL(type)).not.toThrow();
  });
});

describe("the codes of a route", () => {
  const order = [
    "rate_limited",
    "host_not_allowed",
    "cors_origin_blocked",
    "invalid_api_key",
    "session_required",
    "payload_too_large",
    "malformed_json",
    "validation_failed",
    "idempotency_conflict",
    "queue_full",
    "internal",
  ];

  test.each(Object.values<Route>(routes).map((route) => [route.name, route] as const))(
    "%s: in the order of checks, none twice",
    (_name, route) => {
      expect([...new Set(route.errors)]).toEqual(route.errors);
      const ordered = route.errors.filter((code) => order.includes(code));
      expect(ordered).toEqual(order.filter((code) => route.errors.some((mine) => mine === code)));
    },
  );

  test.each(Object.values<Route>(routes).map((route) => [route.name, route] as const))(
    "%s: fit who may call it and what it takes",
    (_name, { access, body, query, errors, responses }) => {
      const has = (code: string): boolean => errors.some((mine) => mine === code);
      expect(has("host_not_allowed") && has("cors_origin_blocked") && has("internal")).toBe(true);
      if (access === "client")
        expect(
          has("invalid_api_key") && has("session_required") && has("session_expired") && has("auth_unavailable"),
        ).toBe(true);
      if (body?.content_type === "application/json")
        expect(has("malformed_json") && has("payload_too_large") && has("unsupported_media_type")).toBe(true);
      if (body !== undefined || query !== undefined) expect(has("validation_failed")).toBe(true);
      if (206 in responses) expect(has("range_not_satisfiable")).toBe(true);
    },
  );
});
