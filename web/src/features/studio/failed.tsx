import { RotateCcw } from "lucide-react";
import { describeProblem } from "../../api/problems.ts";
import { ProblemNote } from "../../ui/problem-note.tsx";
import { strings } from "./strings.ts";

/** A part of the studio that could not be loaded: why, and the way to try again. */
export function Failed({ title, error, onRetry }: { title: string; error: unknown; onRetry: () => void }) {
  const problem = describeProblem(error);
  return (
    <ProblemNote
      title={title}
      action={[problem.detail, problem.action].filter(Boolean).join(" ")}
      code={problem.code}
      reference={problem.reference}
      referenceLabel={strings.reference}
    >
      <button type="button" className="btn" onClick={onRetry}>
        <RotateCcw className="icon" aria-hidden="true" />
        {strings.tryAgain}
      </button>
    </ProblemNote>
  );
}
