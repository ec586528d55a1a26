// @vitest-environment jsdom
// The operator's pages against a real server on a port of its own: who comes in, what is asked, what is said.
import { cleanup, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { queryClient } from "../../api/query-client.ts";
import { refusal } from "../../testing/page-server.ts";
import { languages, setLanguage } from "../../ui/language.ts";
import { closeToast, readToasts } from "../../ui/toast-store.ts";
import { signOut } from "./session/admin-session.ts";
import { type AdminServer, adminKey, openAdminServer, openSignedIn, showDashboard } from "./testing/admin-server.tsx";
import { createAccount, createAdminTask, createDeployment, createRecord } from "./testing/samples.ts";

let server: AdminServer;

beforeEach(async () => {
  server = await openAdminServer();
});

afterEach(async () => {
  cleanup();
  server.state.signedIn = true;
  server.state.instead.clear();
  await signOut();
  queryClient.clear();
  for (const toast of readToasts()) closeToast(toast.id);
  setLanguage("en");
  await server.close();
});

const row = (workspace: string) => screen.getByText(workspace).closest("tbody") as HTMLElement;
const type = (label: string | RegExp, value: string) =>
  fireEvent.change(screen.getByLabelText(label), { target: { value } });
const press = (name: string | RegExp) => fireEvent.click(screen.getByRole("button", { name }));

/** The button at the head of the list; an empty list offers another one. */
function openAddForm(): void {
  const [first] = screen.getAllByRole("button", { name: "Add account" });
  if (first === undefined) throw new Error("There is no button that adds an account.");
  fireEvent.click(first);
}

async function choose(workspace: string, item: string): Promise<void> {
  await screen.findByText(workspace);
  press(`More for ${workspace}`);
  fireEvent.click(await screen.findByRole("menuitem", { name: item, hidden: true }));
}

/** Everything the page keeps beyond its memory. */
const stored = () => [localStorage, sessionStorage].flatMap((storage) => Object.values(storage)).join("\n");

describe("the log-in", () => {
  it("a server that cannot be asked is no refusal: it says so, and tries again", async () => {
    server.state.instead.set("GET /admin/session", refusal(503, "auth_unavailable"));
    // A page of its own, which knows nothing of a session yet.
    vi.resetModules();
    const page = await import("./testing/admin-server.tsx");
    page.showDashboard();
    await screen.findByText("The server did not answer");
    server.state.instead.delete("GET /admin/session");
    press("Try again");
    await screen.findByRole("navigation", { name: "Sections" });
  });

  it("refuses a wrong key, takes the right one, and keeps neither", async () => {
    server.state.signedIn = false;
    showDashboard("?action=add_account");
    const field = await screen.findByLabelText("Admin key");
    fireEvent.change(field, { target: { value: "not-the-key" } });
    fireEvent.submit(field);
    await screen.findByText("Wrong key. Each try is recorded.");
    expect(field).toHaveProperty("value", "");
    expect(document.activeElement).toBe(field);
    fireEvent.change(field, { target: { value: adminKey } });
    fireEvent.submit(field);
    await screen.findByRole("navigation", { name: "Sections" });
    // At the address it was opened at, with the key in one header and nowhere else.
    expect(window.location.search).toBe("?action=add_account");
    const [, last] = server.sent("POST", "/admin/session");
    expect(last?.headers["x-admin-key"]).toBe(adminKey);
    expect(last?.body).toBe("");
    const others = server.asked.filter((asked) => asked !== last);
    expect(JSON.stringify(others.map(({ path, headers, body }) => [path, headers, body]))).not.toContain(adminKey);
    expect(stored()).not.toContain(adminKey);
    expect(
      JSON.stringify(
        queryClient
          .getQueryCache()
          .getAll()
          .map(({ state }) => state.data),
      ),
    ).not.toContain(adminKey);
  });

  it("an empty key, and one that no header can carry, are not sent", async () => {
    server.state.signedIn = false;
    showDashboard();
    const field = await screen.findByLabelText("Admin key");
    fireEvent.submit(field);
    await screen.findByText("Enter the admin key.");
    fireEvent.change(field, { target: { value: "ключ" } });
    fireEvent.submit(field);
    await screen.findByText("Wrong key. Each try is recorded.");
    expect(server.sent("POST", "/admin/session")).toEqual([]);
  });

  it("a session that ends in the middle leads back to it, and nothing typed is lost", async () => {
    await openSignedIn("?drawer=add&outcome=failure");
    fireEvent.click(screen.getByRole("radio", { name: "HTTP" }));
    type("Label", "Attic");
    type("Workspace", "attic-gpu");
    type("Worker address", "http://127.0.0.1:8700");
    type("Worker key", "w".repeat(20));
    server.state.signedIn = false;
    press("Add and check");
    const field = await screen.findByLabelText("Admin key");
    screen.getByText(/Your operator session has ended/);
    expect(window.location.search).toBe("?drawer=add&outcome=failure");
    fireEvent.change(field, { target: { value: adminKey } });
    fireEvent.submit(field);
    expect(await screen.findByLabelText("Label")).toHaveProperty("value", "Attic");
    expect(screen.getByLabelText("Worker key")).toHaveProperty("value", "w".repeat(20));
    expect(stored()).not.toContain("w".repeat(20));
  });

  it("signing out forgets what was typed", async () => {
    await openSignedIn("?drawer=add");
    type("Token secret", "as-secret");
    fireEvent.click(screen.getByRole("button", { name: "Sign out", hidden: true }));
    await screen.findByLabelText("Admin key");
    expect(server.sent("DELETE", "/admin/session")).toHaveLength(1);
    cleanup();
    await openSignedIn("?drawer=add");
    expect(screen.getByLabelText("Token secret")).toHaveProperty("value", "");
  });
});

describe("the accounts", () => {
  it.each(languages.map(({ code }) => code))(
    "tell every standing in words of their own (%s, FR-008)",
    async (language) => {
      setLanguage(language);
      const bad = { last_health_status: "failed", last_error: "English.", last_error_code: "unreachable" } as const;
      server.state.accounts = [
        createAccount("a-ready"),
        createAccount("b-draining", { draining: true, running: { image: 1, video: 0 } }),
        createAccount("c-failed", { status: "failed", ...bad }),
        createAccount("d-pending", { status: "pending", last_health_at: null, last_health_status: null }),
        createAccount("e-disabled", { status: "disabled" }),
        createAccount("f-resting", { circuit: { state: "open", failures: 3, until: new Date().toISOString() } }),
        createAccount("g-new", { kind: "modal", status: "pending", base_url: null }),
      ];
      await openSignedIn();
      await screen.findByText("g-new");
      const told = server.state.accounts.map(({ workspace }) => row(workspace).textContent ?? "");
      const plain = told.map((text, index) => text.replaceAll(server.state.accounts[index]?.workspace ?? "", ""));
      expect(new Set(plain).size).toBe(told.length);
      if (language === "ru") for (const text of told) expect(text).not.toContain("English");
      expect(row("b-draining").textContent).toContain(language === "en" ? "1 running" : "в работе 1");
    },
  );

  it("the button of a row is the likeliest next step", async () => {
    server.state.accounts = [
      createAccount("a-ready"),
      createAccount("b-draining", { draining: true }),
      createAccount("c-failed", { status: "failed", kind: "modal" }),
      createAccount("e-disabled", { status: "disabled" }),
    ];
    await openSignedIn();
    await screen.findByText("a-ready");
    for (const name of ["Drain: a-ready", "Resume: b-draining", "Deploy: c-failed", "Enable: e-disabled"]) press(name);
    // Sent one after the other, they may arrive in any order.
    for (const step of ["a-ready/drain", "b-draining/drain", "c-failed/deploy", "e-disabled/enable"])
      await waitFor(() => expect(server.sent("POST", `/admin/accounts/${step}`), step).toHaveLength(1));
    expect(server.sent("POST", "/admin/accounts/a-ready/drain")[0]?.body).toEqual({ draining: true });
    expect(server.sent("POST", "/admin/accounts/b-draining/drain")[0]?.body).toEqual({ draining: false });
  });

  it("are deleted only by name; what runs there finishes unless it is to be cancelled", async () => {
    server.state.accounts = [createAccount("attic-gpu", { running: { image: 2, video: 0 } })];
    await openSignedIn();
    await choose("attic-gpu", "Delete");
    const dialog = within(await screen.findByRole("alertdialog", { hidden: true }));
    dialog.getByText(/2 tasks run there now/);
    const confirm = dialog.getByRole("button", { name: "Delete attic-gpu", hidden: true });
    expect(confirm).toHaveProperty("disabled", true);
    expect(dialog.getByRole("radio", { name: "Let running tasks finish", hidden: true })).toHaveProperty(
      "checked",
      true,
    );
    fireEvent.change(dialog.getByRole("textbox", { hidden: true }), { target: { value: "attic-gpu" } });
    fireEvent.click(dialog.getByRole("radio", { name: "Cancel running tasks", hidden: true }));
    fireEvent.submit(confirm.closest("form") as HTMLFormElement);
    await waitFor(() => expect(server.sent("DELETE", "/admin/accounts/attic-gpu")).toHaveLength(1));
    expect(server.sent("DELETE", "/admin/accounts/attic-gpu")[0]?.path).toContain("force=1");
  });

  it("are disabled after a question that can be answered no", async () => {
    server.state.accounts = [createAccount("attic-gpu")];
    await openSignedIn();
    await choose("attic-gpu", "Disable");
    fireEvent.click(await screen.findByRole("button", { name: "Keep", hidden: true }));
    await choose("attic-gpu", "Disable");
    fireEvent.submit(
      (await screen.findByRole("button", { name: "Disable attic-gpu", hidden: true })).closest("form") as Element,
    );
    await waitFor(() => expect(server.sent("POST", "/admin/accounts/attic-gpu/disable")).toHaveLength(1));
    expect(server.sent("POST", "/admin/accounts/attic-gpu/disable")[0]?.path).not.toContain("force");
  });

  it("a refusal is told with its reason, and the list stays", async () => {
    server.state.accounts = [createAccount("attic-gpu")];
    server.state.instead.set("POST /admin/accounts/attic-gpu/drain", refusal(503, "storage_unavailable"));
    await openSignedIn();
    await screen.findByText("attic-gpu");
    press("Drain: attic-gpu");
    await screen.findByText("Not done for Label of attic-gpu");
    server.state.instead.set("GET /admin/accounts", refusal(503, "storage_unavailable"));
    await queryClient.invalidateQueries({ queryKey: ["admin", "accounts"] });
    screen.getByText("attic-gpu");
  });

  it("what did not load says why and offers another try", async () => {
    server.state.instead.set("GET /admin/accounts", refusal(500, "internal"));
    await openSignedIn();
    await screen.findByText("The accounts did not load");
    server.state.instead.delete("GET /admin/accounts");
    const section = within(document.getElementById("accounts") as HTMLElement);
    fireEvent.click(section.getByRole("button", { name: "Try again" }));
    await screen.findByText("No worker account yet");
  });
});

describe("the forms of accounts", () => {
  it("find out by themselves what is missing, and say how a name should look", async () => {
    await openSignedIn("?drawer=add");
    type("Workspace", "Team_US");
    press("Add and check");
    await screen.findByText("3 to 64 of a–z, 0–9 and hyphen. Try team-us.");
    expect(screen.getAllByText("This is needed.")).toHaveLength(3);
    expect(document.activeElement).toBe(screen.getByLabelText("Label"));
    expect(server.sent("POST", "/admin/accounts")).toEqual([]);
  });

  it("show what the server refuses by its field, and keep what was typed", async () => {
    const errors = [
      { field: "workspace", code: "already_registered", message: "x" },
      { field: "slots.image", code: "above_maximum", message: "x" },
      { field: "token_id", code: "pattern", message: "x" },
    ];
    server.state.instead.set("POST /admin/accounts", refusal(422, "validation_failed", { errors }));
    await openSignedIn("?drawer=add");
    type("Label", "Night");
    type("Workspace", "night-shift");
    type("Token id", "ak 1");
    type("Token secret", "as-1");
    press("Add and check");
    await screen.findByText(/There is an account of this name already/);
    screen.getByText("Between 0 and 64.");
    screen.getByText(/No spaces, no accents/);
    expect(screen.getByLabelText("Workspace").getAttribute("aria-invalid")).toBe("true");
    expect(screen.getByLabelText("Token secret")).toHaveProperty("value", "as-1");
  });

  it("credentials are typed hidden, sent once and forgotten", async () => {
    await openSignedIn("?drawer=add");
    type("Label", " Night shift ");
    type("Workspace", "night-shift");
    type("Token id", "ak-1");
    type("Token secret", "as-1");
    expect(screen.getByLabelText("Token id")).toHaveProperty("type", "password");
    expect(screen.getByLabelText("Token secret")).toHaveProperty("type", "password");
    press("Add and check");
    await waitFor(() => expect(window.location.search).toBe(""));
    expect(server.sent("POST", "/admin/accounts")[0]?.body).toEqual({
      label: "Night shift",
      workspace: "night-shift",
      kind: "modal",
      token_id: "ak-1",
      token_secret: "as-1",
      slots: { image: 1, video: 1 },
      min_containers: 0,
      max_containers: 1,
    });
    openAddForm();
    expect(screen.getByLabelText("Token secret")).toHaveProperty("value", "");
    expect(stored()).not.toContain("as-1");
  });

  it("what was typed outlives the page; giving it up does not", async () => {
    await openSignedIn("?drawer=add");
    type("Label", "Half typed");
    cleanup();
    showDashboard("?drawer=add");
    expect(await screen.findByLabelText("Label")).toHaveProperty("value", "Half typed");
    press("Cancel");
    await waitFor(() => expect(screen.queryByLabelText("Label")).toBeNull());
    openAddForm();
    expect(screen.getByLabelText("Label")).toHaveProperty("value", "");
  });

  it("an edit sends only what differs; credentials are replaced on their own", async () => {
    server.state.accounts = [createAccount("attic-gpu")];
    await openSignedIn();
    await choose("attic-gpu", "Edit");
    type("Label", "New name");
    fireEvent.change(screen.getByLabelText("Video slots"), { target: { value: "3" } });
    press("Save");
    await waitFor(() => expect(server.sent("PATCH", "/admin/accounts/attic-gpu")).toHaveLength(1));
    expect(server.sent("PATCH", "/admin/accounts/attic-gpu")[0]?.body).toEqual({
      label: "New name",
      slots: { image: 1, video: 3 },
    });
    await choose("attic-gpu", "Replace credentials");
    press("Replace and check");
    await screen.findByText("This is needed.");
    type("Worker key", "n".repeat(20));
    press("Replace and check");
    await waitFor(() => expect(server.sent("POST", "/admin/accounts/attic-gpu/rotate")).toHaveLength(1));
    expect(server.sent("POST", "/admin/accounts/attic-gpu/rotate")[0]?.body).toEqual({ worker_key: "n".repeat(20) });
  });
});

describe("the queue", () => {
  it("says where a task runs and why another waits, account by account", async () => {
    server.state.tasks = [
      createAdminTask("runs", { status: "processing", progress: 62, executor: "attic-gpu", attempt: 2 }),
      createAdminTask("waits", {
        waiting_reason: { code: "busy", detail: "" },
        waiting: [
          { workspace: "attic-gpu", code: "busy", detail: "" },
          { workspace: "embedded", code: "stepped_aside", detail: "" },
        ],
      }),
    ];
    await openSignedIn();
    await screen.findByText("62 % on attic-gpu, try 2");
    press("Why it waits: prompt of waits");
    await screen.findByText("steps aside, as an account offers the model");
    expect(window.location.search).toBe("?open=t.waits");
  });

  it("stands and goes on; a task is put first and cancelled after a question", async () => {
    server.state.tasks = [createAdminTask("waits")];
    await openSignedIn();
    press(await screen.findByRole("button", { name: "Pause" }).then(() => "Pause"));
    await waitFor(() => expect(server.sent("POST", "/admin/queue/pause")).toHaveLength(1));
    server.state.paused = true;
    await queryClient.invalidateQueries({ queryKey: ["admin"] });
    await screen.findByText(/^Paused since/);
    await screen.findByText("the queue is paused");
    press("Resume");
    await waitFor(() => expect(server.sent("POST", "/admin/queue/resume")).toHaveLength(1));
    press("Put waits first");
    await waitFor(() => expect(server.sent("POST", "/admin/tasks/waits/front")[0]?.body).toEqual({ front: true }));
    press("Cancel waits");
    fireEvent.click(await screen.findByRole("button", { name: "Cancel task", hidden: true }));
    await waitFor(() => expect(server.sent("POST", "/admin/tasks/waits/cancel")).toHaveLength(1));
  });
});

describe("deployments, figures, audit and storage", () => {
  it("a deployment tells how it went, and its failure by code", async () => {
    server.state.deployments = [
      createDeployment("d2", { version: 2, status: "failed", error: { code: "token_refused", detail: "" } }),
      createDeployment("d1"),
    ];
    await openSignedIn();
    await screen.findByText(/failed: the token was refused/);
    screen.getByText(/took 30 s/);
    screen.getByRole("button", { name: "Log of modal-night, v1" });
  });

  it("the charts say themselves in a sentence and in a table", async () => {
    await openSignedIn();
    const ended = await screen.findByRole("img", { name: "Tasks ended" });
    expect(ended.querySelector("desc")?.textContent).toMatch(/^11 done, 3 failed, 0 cancelled; most at .*, 9\.$/);
    const table = within(screen.getByLabelText("Tasks ended, as a table", { selector: "section" }));
    expect(table.getAllByRole("row", { hidden: true })).toHaveLength(3);
    expect(screen.getAllByRole("img", { name: /^(Wait|Run)$/ })).toHaveLength(2);
  });

  it("the audit log is filtered by its address, and mere reading hides unless asked for (FR-012)", async () => {
    server.state.records = [
      createRecord(3, { action: "list_accounts" }),
      createRecord(2, { details: { route: "/admin/accounts", code: "not_found", earlier: 0 }, outcome: "failure" }),
    ];
    await openSignedIn("?outcome=failure");
    await screen.findByText("code not_found");
    expect(screen.queryByText("Look at accounts", { selector: "td *" })).toBeNull();
    expect(server.sent("GET", "/admin/logs")[0]?.path).toContain("outcome=failure");
    fireEvent.change(screen.getByLabelText("Action"), { target: { value: "add_account" } });
    await waitFor(() => expect(window.location.search).toBe("?outcome=failure&action=add_account"));
    await waitFor(() => expect(server.sent("GET", "/admin/logs").at(-1)?.path).toContain("action=add_account"));
    press("Clear filters");
    await waitFor(() => expect(window.location.search).toBe(""));
    fireEvent.click(screen.getByLabelText("Show reading too"));
    await screen.findByText("Look at accounts", { selector: "td *" });
  });
});
