import "./frame.css";
import { LogIn, WifiOff } from "lucide-react";
import { useReachable } from "../api/connection.ts";
import { signIn, useSession } from "../api/session.ts";
import { ConfirmHost } from "../ui/confirm.tsx";
import { EmptyState } from "../ui/empty-state.tsx";
import { later } from "../ui/later.tsx";
import { useNavigate, usePath } from "../ui/router.tsx";
import { openShortcutList, useShortcuts } from "../ui/shortcuts.ts";
import { Toasts } from "../ui/toasts.tsx";
import { isAdminPath } from "./admin-path.ts";
import { CurrentPage } from "./router.tsx";
import { strings } from "./strings.ts";
import { TabBar } from "./tab-bar.tsx";
import { TopBar } from "./top-bar.tsx";

const ShortcutsDialog = later(() => import("../ui/shortcuts-dialog.tsx").then((module) => module.ShortcutsDialog));
const SessionGate = later(() => import("./session-gate.tsx").then((module) => module.SessionGate));

/** What stands around every page: bars, the state of connection and session, and whatever lies above the page. */
export function Frame() {
  const reachable = useReachable();
  const isAdmin = isAdminPath(usePath());
  const signedOut = useSession().phase === "signed-out" && !isAdmin;
  usePageKeys();
  return (
    <>
      <a className="btn btn-primary skip-link" href="#main">
        {strings.skip}
      </a>
      {isAdmin ? null : <TopBar />}
      {reachable ? null : (
        <output className="banner">
          <WifiOff className="icon" aria-hidden="true" />
          <span>{strings.offline}</span>
        </output>
      )}
      {signedOut ? <SignedOut /> : <CurrentPage />}
      {isAdmin ? null : <TabBar />}
      <Toasts />
      <ConfirmHost />
      <ShortcutsDialog />
      {isAdmin ? null : <SessionGate />}
    </>
  );
}

function SignedOut() {
  return (
    <main id="main" className="grid flex-1 place-items-center">
      <EmptyState icon={LogIn} title={strings.signedOut} text={strings.signedOutText} level={1}>
        <button type="button" className="btn btn-primary" onClick={signIn}>
          {strings.signIn}
        </button>
      </EmptyState>
    </main>
  );
}

function usePageKeys(): void {
  const navigate = useNavigate();
  useShortcuts(strings.shortcuts.group, {
    "g s": { label: strings.shortcuts.studio, run: () => void navigate({ to: "/" }) },
    "g g": { label: strings.shortcuts.gallery, run: () => void navigate({ to: "/gallery" }) },
    "g h": { label: strings.shortcuts.history, run: () => void navigate({ to: "/history" }) },
    "?": { label: strings.shortcuts.list, run: () => openShortcutList() },
  });
}
