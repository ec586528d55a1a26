import { FileX } from "lucide-react";
import { ProblemNote } from "../../../ui/problem-note.tsx";
import { strings } from "./strings.ts";

/** A record whose file is missing stays, and says so. */
export function ResultGone() {
  return (
    <div className="grid place-content-center">
      <ProblemNote icon={FileX} title={strings.resultGone} action={strings.resultGoneAction} code="result_gone" />
    </div>
  );
}
