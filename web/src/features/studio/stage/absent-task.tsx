import { FileX } from "lucide-react";
import { EmptyState } from "../../../ui/empty-state.tsx";
import { strings } from "./strings.ts";

/** An address names a task that there is not, or no longer. */
export function AbsentTask({ onShow }: { onShow: (taskId: null) => void }) {
  return (
    <div className="stage-centre">
      <EmptyState icon={FileX} title={strings.absentTitle} text={strings.absentText}>
        <button type="button" className="btn" onClick={() => onShow(null)}>
          {strings.showNewest}
        </button>
      </EmptyState>
    </div>
  );
}
