// For tests: a server with an operator's routes, and the dashboard on it.

import type { Account, AdminTask, AuditEvent, Deployment } from "@safelight/contract";
import { QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import { expect } from "vitest";
import { queryClient } from "../../../api/query-client.ts";
import { type Answer, type Asked, openPageServer, type PageServer, refusal } from "../../../testing/page-server.ts";
import { fillWindowGaps } from "../../../testing/window-gaps.ts";
import { ConfirmHost } from "../../../ui/confirm.tsx";
import { openRouter } from "../../../ui/router.tsx";
import { Toasts } from "../../../ui/toasts.tsx";
import { Dashboard } from "../dashboard.tsx";
import { parseAdminSearch } from "../search.ts";
import { createStatistics, readExample } from "./samples.ts";

export const adminKey = "k".repeat(24);

export interface AdminServer extends PageServer {
  state: {
    signedIn: boolean;
    accounts: Account[];
    tasks: AdminTask[];
    records: AuditEvent[];
    deployments: Deployment[];
    paused: boolean;
    /** Answers in the place of the usual one, by "METHOD /path" without the query. */
    instead: Map<string, Answer | null>;
  };
  /** Requests of that kind so far. */
  sent: (method: string, path: string) => Asked[];
}

/** A server where an operator is signed in, unless a test changes its state. */
export async function openAdminServer(): Promise<AdminServer> {
  const state: AdminServer["state"] = {
    signedIn: true,
    accounts: [],
    tasks: [],
    records: [],
    deployments: [],
    paused: false,
    instead: new Map(),
  };
  const server = await openPageServer((asked) => answer(state, asked));
  const sent = (method: string, path: string) =>
    server.asked.filter((one) => one.method === method && one.path.split("?")[0] === path);
  return Object.assign(server, { state, sent });
}

function answer(state: AdminServer["state"], asked: Asked): Answer | null {
  const url = new URL(asked.path, "http://page");
  const name = `${asked.method} ${url.pathname}`;
  if (name === "POST /admin/session") {
    if (asked.headers["x-admin-key"] !== adminKey) return refusal(401, "invalid_api_key");
    state.signedIn = true;
    return { status: 204, body: undefined };
  }
  if (!state.signedIn) return refusal(401, "session_expired");
  if (state.instead.has(name)) return state.instead.get(name) ?? null;
  const reading = readings(state, url)[name];
  if (reading !== undefined) return { body: reading };
  return { body: { id: "1", workspace: "attic-gpu", status: "pending", draining: false, message: "", deploying: 2 } };
}

function readings(state: AdminServer["state"], url: URL): Record<string, unknown> {
  const status = url.searchParams.get("status");
  const items = state.tasks.filter((task) => task.status === status);
  const queue = {
    paused: state.paused,
    paused_at: state.paused ? new Date().toISOString() : null,
    paused_by: null,
    pending: state.tasks.filter((task) => task.status === "pending").length,
    processing: state.tasks.filter((task) => task.status === "processing").length,
    oldest_pending_at: null,
    limit: 1000,
  };
  return {
    "GET /admin/session": { active: true, idle_timeout_seconds: 43_200, last_activity_at: new Date().toISOString() },
    "GET /admin/accounts": { accounts: state.accounts },
    "GET /admin/tasks": {
      items,
      total: items.length,
      total_is_exact: true,
      page: 1,
      per_page: 50,
      has_more: false,
      next_cursor: null,
    },
    "GET /admin/queue": queue,
    "GET /admin/statistics": createStatistics(),
    "GET /admin/deployments": { deployments: state.deployments, has_more: false, next_cursor: null },
    "GET /admin/logs": { logs: state.records, has_more: false, next_cursor: null },
    "GET /admin/logs/verify": readExample("audit-verification.intact"),
    "GET /admin/storage": readExample("storage"),
    "GET /admin/secrets": readExample("secrets"),
    "GET /admin/api-keys": readExample("api-keys"),
    "GET /admin/health": {
      ok: true,
      ready_accounts: 0,
      parts: [{ name: "database", state: "ok", detail: "It answers." }],
    },
  };
}

/** Opens the dashboard at an address, as the page does. */
export function showDashboard(search = "") {
  fillWindowGaps();
  // jsdom knows dialogs, but not how to open one.
  Object.assign(HTMLDialogElement.prototype, {
    showModal(this: HTMLDialogElement) {
      this.open = true;
    },
    close(this: HTMLDialogElement) {
      this.open = false;
    },
  });
  window.scrollTo = () => {};
  window.history.replaceState({}, "", `/admin/dashboard${search}`);
  const page = { parse: parseAdminSearch, preload: () => {} };
  openRouter({ "/": page, "/admin": page, "/admin/dashboard": page });
  return render(
    <QueryClientProvider client={queryClient}>
      <Dashboard tools={null} />
      <ConfirmHost />
      <Toasts />
    </QueryClientProvider>,
  );
}

/** The same signed in: comes in with the key where a test before has signed out. */
export async function openSignedIn(search = ""): Promise<void> {
  showDashboard(search);
  const isThere = () => screen.queryByLabelText(keyField) ?? screen.queryByRole("navigation", { name: sectionsName });
  await waitFor(() => expect(isThere()).not.toBeNull());
  const field = screen.queryByLabelText(keyField);
  if (field !== null) {
    fireEvent.change(field, { target: { value: adminKey } });
    fireEvent.submit(field);
  }
  await screen.findByRole("navigation", { name: sectionsName });
}

const keyField = /^(Admin key|Ключ оператора)$/;
const sectionsName = /^(Sections|Разделы)$/;
