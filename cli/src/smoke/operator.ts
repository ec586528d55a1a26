// Asks routes for operators as one: with the cookie of an admin session, which costs one log-in for all checks together.
import type { RouteName } from "@safelight/contract";
import { type Answer, must, mustAnswer, type Probe, type Question } from "./probe.ts";

export interface Operator {
  readonly adminKey: string;
  /** The cookie of the session. */
  readonly as: { readonly cookie: string };
  /** Asks one route of the contract as this operator. */
  ask(name: RouteName, question?: Omit<Question, "as">): Promise<Answer>;
}

/** Logs in. Complains without a key, and when the log-in is not what the contract says. */
export async function logIn(probe: Probe, adminKey: string | undefined): Promise<Operator> {
  must(adminKey !== undefined, "cannot be checked without the admin key: give it with --admin-key or ADMIN_KEY");
  const answer = await probe.ask("createAdminSession", { as: "none", headers: { "x-admin-key": adminKey } });
  mustAnswer(answer, 204);
  const written = answer.headers.getSetCookie().find((line) => line.startsWith("gg_admin_session=")) ?? "";
  must(/^gg_admin_session=[^;]{32,}/.test(written), "POST /admin/session sets no gg_admin_session cookie");
  const secure = probe.url.startsWith("https:") ? ["Secure"] : [];
  for (const flag of ["HttpOnly", "Path=/admin", "SameSite=Strict", ...secure]) {
    const flags = written.split(";").map((part) => part.trim().toLowerCase());
    must(flags.includes(flag.toLowerCase()), `the admin cookie lacks ${flag}`);
  }
  const as = { cookie: written.split(";")[0] ?? "" };
  return { adminKey, as, ask: (name, question = {}) => probe.ask(name, { ...question, as }) };
}
