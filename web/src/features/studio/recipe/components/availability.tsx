import type { StudioModel } from "../../../../api/models.ts";
import { unavailableWords } from "../../../../api/words/notice-words.ts";
import { strings } from "../strings.ts";

/** Whether the model can run now, by whom, and why not. */
export function Availability({ model, long }: { model: StudioModel; long?: boolean }) {
  if (!model.available) {
    const reason = unavailableWords(model.unavailable_reason);
    return (
      <span className="state state-off">
        {reason ? strings.availability.offBecause(reason) : strings.availability.off}
      </span>
    );
  }
  if (model.engine === "sketch") {
    return (
      <span className="state state-sketch">{long ? strings.availability.sketchLong : strings.availability.sketch}</span>
    );
  }
  return (
    <span className="state state-ready">
      {model.executor ? strings.availability.executor(model.executor) : strings.availability.ready}
    </span>
  );
}
