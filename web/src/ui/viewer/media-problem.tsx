import { FileX, RotateCcw, TriangleAlert, WifiOff } from "lucide-react";
import type { ReactNode } from "react";
import { ProblemNote } from "../problem-note.tsx";
import { strings } from "./strings.ts";

interface MediaProblemProps {
  problem: "gone" | "failed" | "unreachable";
  onRetry: () => void;
}

/** In place of a picture: why it is not there, and what to do. */
export function MediaProblem({ problem, onRetry }: MediaProblemProps) {
  if (problem === "gone") return <ResultMissing />;
  const words =
    problem === "failed"
      ? { icon: TriangleAlert, title: strings.failed, action: strings.failedAction }
      : { icon: WifiOff, title: strings.unreachable, action: strings.unreachableAction };
  return (
    <ProblemNote {...words}>
      <button type="button" className="btn" onClick={onRetry}>
        <RotateCcw className="icon" aria-hidden="true" />
        {strings.tryAgain}
      </button>
    </ProblemNote>
  );
}

/** A record whose file is missing stays, and says so. */
export function ResultMissing({ children }: { children?: ReactNode }) {
  return (
    <ProblemNote icon={FileX} title={strings.missing} action={strings.missingAction} code="result_gone">
      {children}
    </ProblemNote>
  );
}
