// What the address says about the dashboard. Anything unknown or malformed is left out: an address may come from anywhere.
// No address ever holds anything that was typed into a form.

export const sections = ["accounts", "queue", "deployments", "figures", "audit", "storage", "secrets"] as const;
export type Section = (typeof sections)[number];

export const drawers = ["add", "edit", "rotate"] as const;
export const outcomes = ["success", "failure"] as const;
export const actors = ["admin", "client", "system"] as const;
/** How far back the figures go, in hours. */
export const spans = [6, 24, 72, 168] as const;
export type Span = (typeof spans)[number];
export const usualSpan: Span = 24;

export interface AdminSearch {
  section?: Section;
  /** The form that stands open, and the account it is about. */
  drawer?: (typeof drawers)[number];
  account?: string;
  hours?: Span;
  /** Filters of the audit log; days like "2026-03-01", both included. */
  action?: string;
  actor?: (typeof actors)[number];
  outcome?: (typeof outcomes)[number];
  from?: string;
  to?: string;
  /** Whether records of mere reading are shown too. */
  reads?: "shown";
  /** Rows that stand open, "a.attic-gpu t.0195…": kind and name, parted by spaces. */
  open?: string;
}

const longestName = 64;
const longestOpen = 1_000;

/** Reads the parameters of an address. */
export function parseAdminSearch(search: Record<string, unknown>): AdminSearch {
  const parsed: AdminSearch = {};
  const section = sections.find((known) => known === search.section);
  const drawer = drawers.find((known) => known === search.drawer);
  const hours = spans.find((known) => String(known) === String(search.hours));
  const actor = actors.find((known) => known === search.actor);
  const outcome = outcomes.find((known) => known === search.outcome);
  const { account, action, from, to, open } = search;
  if (section !== undefined) parsed.section = section;
  if (drawer !== undefined) parsed.drawer = drawer;
  if (isName(account)) parsed.account = account;
  if (hours !== undefined && hours !== usualSpan) parsed.hours = hours;
  if (isName(action)) parsed.action = action;
  if (actor !== undefined) parsed.actor = actor;
  if (outcome !== undefined) parsed.outcome = outcome;
  if (isDay(from)) parsed.from = from;
  if (isDay(to)) parsed.to = to;
  if (typeof open === "string" && open !== "" && open.length <= longestOpen) parsed.open = open;
  if (search.reads === "shown") parsed.reads = "shown";
  // A form about an account needs to know which.
  if (parsed.drawer !== undefined && parsed.drawer !== "add" && parsed.account === undefined) delete parsed.drawer;
  return parsed;
}

/** Which rows stand open. */
export function openRows({ open = "" }: AdminSearch): ReadonlySet<string> {
  return new Set(open.split(" ").filter(Boolean));
}

/** The same address with one row opened, or closed if it was open. Of very many the oldest closes. */
export function withToggledRow(search: AdminSearch, row: string): AdminSearch {
  const rows = new Set(openRows(search));
  if (!rows.delete(row)) rows.add(row);
  const { open: _before, ...rest } = search;
  const kept = [...rows];
  while (kept.join(" ").length > longestOpen) kept.shift();
  return kept.length === 0 ? rest : { ...rest, open: kept.join(" ") };
}

/** The filters of the audit log as the server takes them: days become moments of this machine's calendar. */
export function auditFilters({ action, actor, outcome, from, to }: AdminSearch) {
  return {
    ...(action === undefined ? {} : { action }),
    ...(actor === undefined ? {} : { actor }),
    ...(outcome === undefined ? {} : { outcome }),
    ...(from === undefined ? {} : { from: startOf(from, 0).toISOString() }),
    ...(to === undefined ? {} : { to: new Date(startOf(to, 1).getTime() - 1).toISOString() }),
  };
}

function startOf(day: string, later: number): Date {
  const [year = 0, month = 1, date = 1] = day.split("-").map(Number);
  return new Date(year, month - 1, date + later);
}

function isName(value: unknown): value is string {
  return typeof value === "string" && /^[\w-]+$/.test(value) && value.length <= longestName;
}

function isDay(value: unknown): value is string {
  if (typeof value !== "string" || !/^\d{4}-\d{2}-\d{2}$/.test(value)) return false;
  const day = new Date(`${value}T12:00:00Z`);
  return !Number.isNaN(day.getTime()) && day.toISOString().startsWith(value);
}
