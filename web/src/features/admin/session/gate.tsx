import { type ReactNode, useCallback, useEffect, useState } from "react";
import { describeProblem } from "../../../api/problems.ts";
import { Ghost, GhostArea } from "../../../ui/ghost.tsx";
import { ProblemNote } from "../../../ui/problem-note.tsx";
import { lookForSession, useAdminSession } from "./admin-session.ts";
import { LogIn } from "./log-in.tsx";
import { strings } from "./strings.ts";

/**
 * Lets through whoever holds an operator's session and asks everybody else for the key, at the same address, so that the
 * page opens where it was left.
 */
export function Gate({ children }: { children: ReactNode }) {
  const session = useAdminSession();
  const { fault, look } = useLooking(session.phase === "unknown");
  if (session.phase === "in") return children;
  if (session.phase === "out") return <LogIn ended={session.ended} />;
  if (fault === null) return <Looking />;
  const { detail, action, code, reference } = describeProblem(fault.error);
  return (
    <main id="main" className="admin grid flex-1 place-items-center">
      <ProblemNote title={strings.unreachable} action={`${detail} ${action}`} code={code} reference={reference}>
        <button type="button" className="btn" onClick={look}>
          {strings.tryAgain}
        </button>
      </ProblemNote>
    </main>
  );
}

function Looking() {
  return (
    <main id="main" className="admin flex-1 p-6">
      <GhostArea label={strings.looking} className="grid gap-3">
        <Ghost className="h-7 w-48" />
        <Ghost className="h-64" />
      </GhostArea>
    </main>
  );
}

function useLooking(wanted: boolean) {
  const [fault, setFault] = useState<{ error: unknown } | null>(null);
  const ask = useCallback(() => lookForSession().catch((error: unknown) => setFault({ error })), []);
  useEffect(() => {
    if (wanted) void ask();
  }, [wanted, ask]);
  const look = () => {
    setFault(null);
    void ask();
  };
  return { fault, look };
}
