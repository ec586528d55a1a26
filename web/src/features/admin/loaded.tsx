import { type ReactNode, useState } from "react";
import { describeProblem } from "../../api/problems.ts";
import { Ghost, GhostArea } from "../../ui/ghost.tsx";
import { ProblemNote } from "../../ui/problem-note.tsx";
import { strings as uiStrings } from "../../ui/strings.ts";
import { strings } from "./strings.ts";

interface LoadedProps<Data> {
  query: { readonly data: Data | undefined; readonly error: Error | null; readonly refetch: () => unknown };
  /** What is being loaded, in words. */
  loading: string;
  /** That it did not come, in words. */
  failed: string;
  children: (data: Data) => ReactNode;
}

/** What a query brought. Before the first answer ghosts, or why none came; later failures leave standing what is known. */
export function Loaded<Data>({ query, loading, failed, children }: LoadedProps<Data>) {
  const { data, refetch } = query;
  // A new try takes the failure away before its own end is known; until then the last one stands.
  const [error, setError] = useState(query.error);
  if (query.error !== null && query.error !== error) setError(query.error);
  if (data !== undefined) return children(data);
  if (error === null) {
    return (
      <GhostArea label={loading} className="grid gap-3">
        {[0, 1, 2].map((row) => (
          <Ghost key={row} className="h-10" />
        ))}
      </GhostArea>
    );
  }
  const { detail, action, code, reference } = describeProblem(error);
  return (
    <ProblemNote
      title={failed}
      action={[detail, action].filter(Boolean).join(" ")}
      code={code}
      reference={reference}
      referenceLabel={uiStrings.reference}
    >
      <button type="button" className="btn" onClick={() => void refetch()}>
        {strings.tryAgain}
      </button>
    </ProblemNote>
  );
}
