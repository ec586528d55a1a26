import { Component, type ReactNode } from "react";
import { ProblemNote } from "../ui/problem-note.tsx";
import { strings } from "./strings.ts";

/** The last resort: a fault of the page itself ends in words, not in an empty window. */
export class CrashBoundary extends Component<{ children: ReactNode }, { crashed: boolean }> {
  override state = { crashed: false };

  static getDerivedStateFromError(): { crashed: boolean } {
    return { crashed: true };
  }

  override render(): ReactNode {
    if (!this.state.crashed) return this.props.children;
    return (
      <main className="grid min-h-dvh place-items-center">
        <ProblemNote title={strings.crash} action={strings.crashAction}>
          <button type="button" className="btn" onClick={() => window.location.reload()}>
            {strings.reload}
          </button>
        </ProblemNote>
      </main>
    );
  }
}
