import { Component, type ReactNode } from "react";
import { ProblemNote } from "../ui/problem-note.tsx";
import { strings } from "./strings.ts";

/** Browsers word it differently, and none gives a code, when a piece of the page's code cannot be fetched. */
const missingPiece = /dynamically imported module|module script failed|error loading dynamically|preload css/i;

/** A fault of the page itself ends in words, not in an empty window. */
export class CrashBoundary extends Component<{ children: ReactNode }, { fault: unknown; crashed: boolean }> {
  override state = { crashed: false, fault: null };

  static getDerivedStateFromError(fault: unknown): { crashed: boolean; fault: unknown } {
    return { crashed: true, fault };
  }

  override render(): ReactNode {
    if (!this.state.crashed) return this.props.children;
    const isMissing = missingPiece.test(String(this.state.fault));
    return (
      <main id="main" className="grid flex-1 place-items-center">
        <ProblemNote
          level={1}
          title={isMissing ? strings.updated : strings.crash}
          action={isMissing ? strings.updatedAction : strings.crashAction}
        >
          <button type="button" className="btn btn-primary" onClick={() => window.location.reload()}>
            {strings.reload}
          </button>
        </ProblemNote>
      </main>
    );
  }
}
