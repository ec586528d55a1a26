// @vitest-environment jsdom
// What the page reads to show the latest tasks.
import type { TaskItem } from "@safelight/contract";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, renderHook, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openPageServer, type PageServer } from "../testing/page-server.ts";
import { createItem, time } from "../testing/sample-tasks.ts";
import { useTasks } from "./tasks.ts";

let server: PageServer;
/** All tasks of the server, newest first. */
let stored: TaskItem[];
const perPage = 50;

beforeEach(async () => {
  server = await openPageServer(({ path }) => {
    const query = new URL(path, "http://page").searchParams;
    const found = stored.filter(({ status }) => (query.get("status") ?? status) === status);
    const items = found.slice(0, Number(query.get("per_page") ?? perPage));
    const facts = { total: found.length, total_is_exact: true, page: 1, per_page: perPage, next_cursor: null };
    return { body: { items, ...facts, has_more: items.length < found.length } };
  });
});

afterEach(async () => {
  cleanup();
  await server.close();
});

async function read(): Promise<readonly string[]> {
  const queryClient = new QueryClient();
  const { result } = renderHook(() => useTasks(), {
    wrapper: ({ children }) => <QueryClientProvider client={queryClient}>{children}</QueryClientProvider>,
  });
  await waitFor(() => expect(result.current.tasks).toBeDefined());
  return (result.current.tasks ?? []).filter(({ status }) => status === "done").map(({ id }) => id);
}

const many = (count: number, name: string, second: number, fields: Partial<TaskItem>) =>
  Array.from({ length: count }, (_, index) =>
    createItem(`${name}-${index}`, { created_at: time(second - index), ...fields }),
  );

describe("the latest tasks", () => {
  it("hold results however many were cancelled after them", async () => {
    const error = { code: "cancelled", detail: "", user_action: "" } as const;
    stored = [
      ...many(300, "cancelled", 1_000, { status: "failed", error }),
      ...many(40, "result", 100, { status: "done" }),
    ];
    const results = await read();
    expect(results).toHaveLength(12);
    expect(results[0]).toBe("result-0");
  });

  it("are not asked for twice where the first page holds results enough, or everything", async () => {
    stored = many(80, "result", 100, { status: "done" });
    expect(await read()).toHaveLength(perPage);
    stored = many(3, "waits", 100, {});
    expect(await read()).toEqual([]);
    expect(server.asked.filter(({ path }) => path.includes("status=done"))).toEqual([]);
  });
});
