import { Images, SearchX, TriangleAlert } from "lucide-react";
import { describeProblem } from "../../api/problems.ts";
import { EmptyState } from "../../ui/empty-state.tsx";
import { Ghost, GhostArea } from "../../ui/ghost.tsx";
import { ProblemNote } from "../../ui/problem-note.tsx";
import { PageAnchor } from "./leave.tsx";
import { strings } from "./strings.ts";

/** Proportions of the shapes that stand for pictures on their way. */
const shapes = [0.56, 1.6, 1, 1, 1.78, 0.8, 1, 1.78, 0.56, 1, 0.8, 1.6];

export function GalleryOnItsWay() {
  return (
    <GhostArea label={strings.loading} className="sheet-ghosts">
      {shapes.map((ratio, index) => (
        <Ghost key={`${index} ${ratio}`} style={{ aspectRatio: ratio }} />
      ))}
    </GhostArea>
  );
}

export function EmptyGallery() {
  return (
    <div className="gallery-blank">
      <EmptyState icon={Images} title={strings.empty.title} text={strings.empty.text}>
        <PageAnchor className="btn btn-primary" href="/">
          {strings.empty.action}
        </PageAnchor>
      </EmptyState>
    </div>
  );
}

export function NoMatch({ favourites, onClear }: { favourites: boolean; onClear: () => void }) {
  const { title, text, noFavourites } = strings.noMatch;
  return (
    <div className="gallery-blank">
      <EmptyState icon={SearchX} title={title} text={favourites ? noFavourites : text}>
        <button type="button" className="btn" onClick={onClear}>
          {strings.clearFilters}
        </button>
      </EmptyState>
    </div>
  );
}

export function GalleryProblem({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  const { code, detail, action, reference } = describeProblem(error);
  return (
    <div className="gallery-blank">
      <ProblemNote
        icon={TriangleAlert}
        title={strings.failed}
        action={[detail, action].filter(Boolean).join(" ")}
        code={code}
        reference={reference}
      >
        <button type="button" className="btn" onClick={onRetry}>
          {strings.retry}
        </button>
      </ProblemNote>
    </div>
  );
}
