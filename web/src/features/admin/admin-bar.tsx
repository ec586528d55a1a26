import { Aperture, LogOut } from "lucide-react";
import type { ReactNode } from "react";
import { describeProblem } from "../../api/problems.ts";
import { BrandMark } from "../../ui/brand.tsx";
import { Link } from "../../ui/router.tsx";
import { clockTime } from "../../ui/time.ts";
import { showToast } from "../../ui/toasts.tsx";
import { useSessionState } from "./data/health.ts";
import { signOut } from "./session/admin-session.ts";
import { strings } from "./strings.ts";

/** The bar above the dashboard, in the place of the studio's. `tools` are the switches every page has. */
export function AdminBar({ tools }: { tools: ReactNode }) {
  const session = useSessionState();
  const until =
    session === undefined ? null : Date.parse(session.last_activity_at) + session.idle_timeout_seconds * 1000;
  const leave = () =>
    void signOut().catch((error: unknown) => {
      const { detail, action } = describeProblem(error);
      showToast({ tone: "error", text: strings.signOutFailed, detail: `${detail} ${action}` });
    });
  return (
    <header className="top-bar">
      <Link to="/" className="top-brand">
        <BrandMark />
        Safelight
        <span className="admin-operator">{strings.operator}</span>
      </Link>
      <div className="ms-auto flex items-center gap-1">
        {until === null ? null : (
          <span className="admin-until num">{strings.signedInUntil(clockTime(new Date(until).toISOString()))}</span>
        )}
        <Link to="/" className="btn btn-quiet btn-small admin-tool">
          <Aperture className="icon" aria-hidden="true" />
          <span>{strings.studio}</span>
        </Link>
        <button type="button" className="btn btn-quiet btn-small admin-tool" onClick={leave}>
          <LogOut className="icon" aria-hidden="true" />
          <span>{strings.signOut}</span>
        </button>
        {tools}
      </div>
    </header>
  );
}
