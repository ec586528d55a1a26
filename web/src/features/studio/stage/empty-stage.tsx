import { Aperture } from "lucide-react";
import { EmptyState } from "../../../ui/empty-state.tsx";
import { Ghost, GhostArea } from "../../../ui/ghost.tsx";
import { strings } from "./strings.ts";

/** The stage before the first picture; one press puts an example into the recipe. */
export function EmptyStage({ loading, onExample }: { loading: boolean; onExample: (prompt: string) => void }) {
  if (loading) {
    return (
      <GhostArea label={strings.loading} className="stage-centre">
        <Ghost className="stage-ghost" />
      </GhostArea>
    );
  }
  return (
    <div className="stage-centre">
      <EmptyState icon={Aperture} title={strings.emptyTitle} text={strings.emptyText}>
        {strings.examples.map((example) => (
          // The vocabulary that examples are taken from is English.
          <button key={example} type="button" className="chip" lang="en" onClick={() => onExample(example)}>
            {example}
          </button>
        ))}
      </EmptyState>
    </div>
  );
}
