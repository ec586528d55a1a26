import { createServer } from "node:net";
import { ApiError, errorCodes } from "@safelight/contract";
import { describe, expect, it } from "vitest";
import { failureLine, isNetworkFailure, toCommandError, usageError } from "./failure.ts";

function apiError(status: number, code: keyof typeof errorCodes, detail: string): ApiError {
  const { title, user_action } = errorCodes[code];
  const facts = { type: "urn:x", title, status, detail, instance: "/x", code, user_action, correlation_id: "c-1" };
  return new ApiError(status, facts, null);
}

describe("toCommandError", () => {
  it.each([
    [404, "task_not_found", 2],
    [422, "validation_failed", 2],
    [401, "invalid_api_key", 3],
    [503, "no_workers", 3],
    [409, "task_failed", 1],
    [410, "result_gone", 1],
    [500, "internal", 1],
  ] as const)("%i %s ends with %i, code, detail and what to do in one line (SC-005)", (status, code, exitCode) => {
    const error = toCommandError(apiError(status, code, "Something\nhappened."));
    expect(error).toMatchObject({ exitCode, code });
    const line = failureLine(error);
    expect(line).toBe(line.replace(/\n/g, ""));
    expect(line).toContain(`safelight: ${code}: Something happened. ${errorCodes[code].user_action}`);
    expect(line.includes("c-1")).toBe(code === "internal");
  });

  it("says when the address is something else", () => {
    expect(toCommandError(new ApiError(404, null, null))).toMatchObject({ exitCode: 3, code: "not_safelight" });
  });

  it("leaves a usage error as it is and does not lose unknown ones", () => {
    const usage = usageError("no");
    expect(toCommandError(usage)).toBe(usage);
    expect(toCommandError(new Error("odd"))).toMatchObject({ exitCode: 1, code: "internal", message: "odd" });
    expect(toCommandError("text")).toMatchObject({ message: "text" });
  });

  it("knows a server that is not there", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as { port: number };
    await new Promise((resolve) => server.close(resolve));
    const error = await fetch(`http://127.0.0.1:${port}/`).catch((failure: unknown) => failure);
    expect(isNetworkFailure(error)).toBe(true);
    expect(toCommandError(error)).toMatchObject({
      exitCode: 3,
      code: "unreachable",
      message: expect.stringContaining("ECONNREFUSED"),
    });
  });
});
