import { QueryClientProvider } from "@tanstack/react-query";
import { WifiOff } from "lucide-react";
import { useReachable } from "../api/connection.ts";
import { useTaskEvents } from "../api/events.ts";
import { queryClient } from "../api/query-client.ts";
import { Studio } from "../features/studio/studio.tsx";
import { ConfirmHost } from "../ui/confirm.tsx";
import { useLanguage } from "../ui/language.ts";
import { ShortcutsDialog } from "../ui/shortcuts-dialog.tsx";
import { Toasts } from "../ui/toasts.tsx";
import { CrashBoundary } from "./crash-boundary.tsx";
import { SessionGate } from "./session-gate.tsx";
import { strings } from "./strings.ts";
import { TopBar } from "./top-bar.tsx";

/** The whole page: the frame, the session, the stream of news, and the studio. */
export function App() {
  const language = useLanguage();
  return (
    <CrashBoundary>
      <QueryClientProvider client={queryClient}>
        <Frame key={language} />
      </QueryClientProvider>
    </CrashBoundary>
  );
}

function Frame() {
  useTaskEvents();
  const reachable = useReachable();
  return (
    <>
      <a className="btn btn-primary skip-link" href="#main">
        {strings.skip}
      </a>
      <TopBar />
      {reachable ? null : (
        <output className="banner">
          <WifiOff className="icon" aria-hidden="true" />
          <span>{strings.offline}</span>
        </output>
      )}
      <Studio online={reachable} />
      <Toasts />
      <ConfirmHost />
      <ShortcutsDialog />
      <SessionGate />
    </>
  );
}
