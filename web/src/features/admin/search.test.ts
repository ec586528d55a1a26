import { describe, expect, test } from "vitest";
import { auditFilters, openRows, parseAdminSearch, withToggledRow } from "./search.ts";

describe("the address of the dashboard", () => {
  test("keeps what it knows and leaves out what it does not", () => {
    const said = {
      section: "audit",
      drawer: "edit",
      account: "attic-gpu",
      hours: "72",
      action: "add_account",
      actor: "admin",
      outcome: "failure",
      from: "2026-02-30",
      to: "2026-03-01",
      reads: "shown",
      open: "a.attic-gpu l.4",
      token_secret: "as-1",
    };
    const { from: _never, token_secret: _secret, ...known } = said;
    expect(parseAdminSearch(said)).toEqual({ ...known, hours: 72 });
    const strange = { section: 4, drawer: "steal", hours: "24", actor: "me", action: "<b>", open: "x".repeat(1_001) };
    expect(parseAdminSearch(strange)).toEqual({});
  });

  test("a form about an account needs to say which", () => {
    expect(parseAdminSearch({ drawer: "rotate" })).toEqual({});
    expect(parseAdminSearch({ drawer: "add" })).toEqual({ drawer: "add" });
  });

  test("a row opens and closes; of very many the oldest closes", () => {
    const once = withToggledRow({ action: "add_account" }, "a.attic-gpu");
    expect([...openRows(once)]).toEqual(["a.attic-gpu"]);
    expect(withToggledRow(once, "a.attic-gpu")).toEqual({ action: "add_account" });
    let many = once;
    for (let row = 0; row < 60; row += 1) many = withToggledRow(many, `t.01a1feee-b291-7bc2-983d-978c45c0${row}`);
    expect(openRows(many).has("a.attic-gpu")).toBe(false);
    expect(openRows(many).has("t.01a1feee-b291-7bc2-983d-978c45c059")).toBe(true);
    expect(parseAdminSearch({ ...many })).toEqual(many);
  });

  test("days of the audit log are whole days of this machine's calendar", () => {
    const { from, to } = auditFilters({ from: "2026-03-01", to: "2026-03-01" });
    expect(Date.parse(to ?? "") - Date.parse(from ?? "")).toBe(24 * 3600 * 1000 - 1);
    expect(auditFilters({ section: "audit", open: "l.4" })).toEqual({});
  });
});
