// @vitest-environment jsdom
// What an operator is told of the record, the room and the keys of an installation.
import { cleanup, fireEvent, screen, waitFor } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { queryClient } from "../../api/query-client.ts";
import { refusal } from "../../testing/page-server.ts";
import { setLanguage } from "../../ui/language.ts";
import { signOut } from "./session/admin-session.ts";
import { type AdminServer, openAdminServer, openSignedIn } from "./testing/admin-server.tsx";
import { readExample } from "./testing/samples.ts";

let server: AdminServer;

beforeEach(async () => {
  server = await openAdminServer();
});

afterEach(async () => {
  cleanup();
  server.state.instead.clear();
  await signOut();
  queryClient.clear();
  setLanguage("en");
  await server.close();
});

const press = (name: string) => fireEvent.click(screen.getByRole("button", { name }));

describe("record, room and keys", () => {
  it("the audit log is checked when asked for: what holds is told, and the first row that does not (FR-012)", async () => {
    await openSignedIn();
    await screen.findByText("Nothing has been recorded yet.");
    press("Check the log");
    await screen.findByText("Nothing was changed");
    await screen.findByText("42 rows and 1 signature hold.");
    const body = {
      ...readExample("audit-verification.intact"),
      intact: false,
      first_broken: { id: 57, code: "changed", detail: "" },
    };
    server.state.instead.set("GET /admin/logs/verify", { body });
    press("Check the log");
    await screen.findByText("The log is not what was written");
    await screen.findByText("Row 57: it is not what was written.");
    server.state.instead.set("GET /admin/logs/verify", refusal(503, "auth_unavailable"));
    press("Check the log");
    await screen.findByText("The log was not checked");
    expect(screen.queryByText("The log is not what was written")).toBeNull();
    expect(screen.getByRole("link", { name: "Download" }).getAttribute("href")).toBe("/admin/logs/export");
  });

  it("storage and parts are told in words: room, quota, what goes next, and that there is no room", async () => {
    await openSignedIn();
    await screen.findByText("181 GB used, 51.5 GB free");
    await screen.findByText("It answers.");
    screen.getByText("200 GB, then the oldest results go");
    screen.getByText("365 days");
    screen.getByText(/^3 tasks, 41.3 MB, .*, by age$/);
    expect(screen.queryByText(/^New tasks are refused/)).toBeNull();
  });

  it("that there is no room for new tasks is said first", async () => {
    const body = {
      ...readExample("storage"),
      accepting: false,
      short_of: "disk",
      quota_bytes: null,
      next_removal: null,
    };
    server.state.instead.set("GET /admin/storage", { body });
    await openSignedIn();
    await screen.findByText("New tasks are refused: the disk has too little room.");
    screen.getByText("none");
    expect(screen.queryByText("Next removal")).toBeNull();
  });

  it("secrets are told with age and what to do; keys that count no longer are only counted", async () => {
    await openSignedIn();
    await screen.findByText("2 want attention");
    screen.getByText("It is older than 90 days: safelight secrets rotate admin-key.");
    screen.getByText("Worker key: attic-gpu");
    screen.getByText(/^ADMIN_KEY, made here · 120 days old$/);
    screen.getByText(/^API_KEY, from the environment · 0 days old · 1 former value still counts$/);
    await screen.findByText("newsletter-pictures");
    screen.getByText("may look only");
    screen.getByText("and 1 more that counts no longer");
    expect(screen.queryByText("poster-maker")).toBeNull();
  });

  it("what has to be done about a secret is told in the language of the page", async () => {
    setLanguage("ru");
    await openSignedIn();
    await screen.findByText("Пора заменить: safelight secrets rotate admin-key");
    await screen.findByText(/^Нового значения ещё нет в API_KEY\./);
  });

  it("a change does not ask for them again: what one session may ask in a minute is for what changes", async () => {
    await openSignedIn();
    await screen.findByText("Worker key: attic-gpu");
    await screen.findByText("181 GB used, 51.5 GB free");
    await screen.findByText("newsletter-pictures");
    const before = server.sent("GET", "/admin/queue").length;
    press("Pause");
    await waitFor(() => expect(server.sent("GET", "/admin/queue").length).toBeGreaterThan(before));
    for (const path of ["/admin/secrets", "/admin/api-keys", "/admin/storage"])
      expect(server.sent("GET", path), path).toHaveLength(1);
  });
});
