import { CircleAlert, Clock } from "lucide-react";
import { useEffect, useId, useState } from "react";
import type { Problem } from "../../../../api/problems.ts";
import { useTasks } from "../../../../api/tasks.ts";
import { type FieldFault, fieldFaultWords, fieldName } from "../../../../api/words/field-errors.ts";
import { localize } from "../../../../ui/language.ts";
import { duration as durationText } from "../../../../ui/time.ts";
import { useRecipeForm } from "../hooks/use-recipe.ts";
import type { Submit, Tally } from "../hooks/use-submit.ts";
import { secondsExpected } from "../model/outlook.ts";
import { durationOf } from "../model/presets.ts";
import { strings } from "../strings.ts";
import { CopiesPicker } from "./copies-picker.tsx";

interface SubmitBarProps {
  submit: Submit;
  online: boolean;
  /** Faults of the last press that are still there. */
  faults: readonly FieldFault[];
}

/** The one thing to press, and why it was refused when it was. */
export function SubmitBar({ submit, online, faults }: SubmitBarProps) {
  const form = useRecipeForm();
  const { state } = submit;
  const words = useGenerateWords();
  const blocked = !online || state.phase === "sending" || !form.model.available;
  const label = !online ? strings.generateOffline : state.phase === "sending" ? sendingWords(state) : words;
  const hint = useId();
  return (
    <div className="studio-go">
      {faults.length > 0 ? <FaultList faults={faults} /> : null}
      {state.phase === "refused" && state.problem.fields.length === 0 ? <Refusal problem={state.problem} /> : null}
      {(state.phase === "refused" || state.phase === "waiting") && state.taken > 0 ? (
        <p className="text-label text-soft">{strings.takenOf(state.taken, state.wanted)}</p>
      ) : null}
      {state.phase === "waiting" ? (
        <WaitingForQueue problem={state.problem} retryAt={state.retryAt} onStop={submit.stop} />
      ) : (
        <div className="flex gap-2">
          <button
            type="submit"
            className="btn btn-primary btn-large min-w-0 grow"
            aria-disabled={blocked || undefined}
            aria-describedby={form.model.available ? undefined : hint}
          >
            {label}
          </button>
          <CopiesPicker />
        </div>
      )}
      {form.model.available ? null : (
        <p id={hint} className="hint">
          {strings.unavailableModel}
        </p>
      )}
      <div className="flex gap-3 text-label text-faint max-sm:hidden pointer-coarse:hidden">
        <Outlook />
        <kbd className="ms-auto">{strings.shortcut(commandKey())}</kbd>
      </div>
    </div>
  );
}

/** How long one run takes here, where runs like it have been seen. */
function Outlook() {
  const form = useRecipeForm();
  const { tasks } = useTasks();
  const seconds = secondsExpected(form.model, form.mode, form.numbers(), tasks ?? []);
  return seconds === null ? null : (
    <span className="num">{strings.outlook(durationText(Math.max(1, Math.round(seconds))))}</span>
  );
}

function sendingWords({ taken, wanted }: Tally): string {
  return wanted === 1 ? strings.submitting : strings.submittingOf(taken, wanted);
}

function useGenerateWords(): string {
  const form = useRecipeForm();
  const { copies } = form.recipe;
  if (form.model.type === "image") return strings.generateImage(copies);
  const numbers = form.numbers();
  const preset = durationOf(form.model, numbers);
  const amount = (unit: string) =>
    numbers[form.parameters.find((parameter) => parameter.unit === unit)?.name ?? ""] ?? 0;
  const seconds = amount("frames") / (amount("fps") || 1);
  return strings.generateVideo(preset ? localize(preset.label) : strings.seconds(seconds), copies);
}

/** What stands in the way, each with its place in the form. */
function FaultList({ faults }: { faults: readonly FieldFault[] }) {
  const form = useRecipeForm();
  return (
    <div role="alert" className="grid gap-0.5 rounded-control bg-danger-wash px-3 py-2 text-danger">
      <p className="flex gap-2 font-medium">
        <CircleAlert className="icon mt-0.5" aria-hidden="true" />
        {strings.fixes(faults.length)}
      </p>
      <ul className="ps-6 text-label">
        {faults.map((fault) => (
          <li key={`${fault.field} ${fault.code}`}>
            {fieldName(form.model, fault.field)}: {fieldFaultWords(form.model, fault, form.numbers())}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Refusal({ problem }: { problem: Problem }) {
  return (
    <div role="alert" className="grid gap-0.5 rounded-control bg-danger-wash px-3 py-2 text-danger">
      <p className="flex gap-2 font-medium">
        <CircleAlert className="icon mt-0.5" aria-hidden="true" />
        {problem.detail}
      </p>
      <p className="ps-6 text-label">
        {problem.action} <span className="mono">{problem.code}</span>
        {problem.said === null ? null : <span lang="en"> {problem.said}</span>}
      </p>
    </div>
  );
}

function WaitingForQueue({ problem, retryAt, onStop }: { problem: Problem; retryAt: number; onStop: () => void }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  const seconds = Math.max(0, Math.ceil((retryAt - now) / 1000));
  return (
    <>
      <p role="alert" className="field-error">
        <Clock className="icon" aria-hidden="true" />
        <span>{problem.detail}</span>
      </p>
      <div className="flex items-center gap-2">
        <span className="grow text-label text-soft">{strings.queueFull(seconds)}</span>
        <button type="button" className="btn btn-large" onClick={onStop}>
          {strings.stop}
        </button>
      </div>
    </>
  );
}

function commandKey(): string {
  return /Mac|iPhone|iPad/.test(navigator.userAgent) ? "⌘" : "Ctrl";
}
