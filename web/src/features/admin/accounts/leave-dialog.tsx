import { useId, useState } from "react";
import { Modal } from "../../../ui/modal.tsx";
import { strings as uiStrings } from "../../../ui/strings.ts";
import { useLeaveQuestion } from "./leave-question.ts";
import { runningOn } from "./standing.ts";
import { strings } from "./strings.ts";

/** The place of the question before an account is disabled or deleted: once on the dashboard. */
export function LeaveDialog() {
  const question = useLeaveQuestion();
  return question === null ? null : <LeaveForm key={`${question.kind} ${question.account.id}`} {...question} />;
}

function LeaveForm({ account, kind, answer }: NonNullable<ReturnType<typeof useLeaveQuestion>>) {
  const [force, setForce] = useState(false);
  const [typed, setTyped] = useState("");
  const id = useId();
  const { label, workspace } = account;
  const isDelete = kind === "delete";
  const ready = !isDelete || typed.trim() === workspace;
  const running = runningOn(account);
  const verb = isDelete ? strings.remove : strings.disable;
  return (
    <Modal
      title={isDelete ? strings.deleteTitle(label) : strings.disableTitle(label)}
      onClose={() => answer(null)}
      describedBy={`${id}-text`}
      alert
    >
      <form
        className="grid gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          if (ready) answer({ force });
        }}
      >
        <p id={`${id}-text`}>
          {isDelete ? strings.deleteText(workspace) : strings.disableText(workspace)}
          {running > 0 ? ` ${strings.running(running)}` : null}
        </p>
        <HowToLeave force={force} onForce={setForce} />
        {isDelete ? (
          <div className="field">
            <label className="field-label" htmlFor={id}>
              {strings.typeName(workspace)}
            </label>
            <input
              id={id}
              className="input mono"
              autoComplete="off"
              autoCapitalize="none"
              spellCheck={false}
              value={typed}
              onChange={(event) => setTyped(event.target.value)}
            />
          </div>
        ) : null}
        <div className="dialog-actions">
          <button type="button" className="btn" onClick={() => answer(null)}>
            {uiStrings.keep}
          </button>
          <button type="submit" className="btn btn-danger-solid" disabled={!ready}>
            {`${verb} ${workspace}`}
          </button>
        </div>
      </form>
    </Modal>
  );
}

function HowToLeave({ force, onForce }: { force: boolean; onForce: (next: boolean) => void }) {
  const name = useId();
  return (
    <fieldset>
      <legend className="field-label mb-1">{strings.runningTitle}</legend>
      {[false, true].map((choice) => (
        <label key={String(choice)} className="check">
          <input type="radio" name={name} checked={force === choice} onChange={() => onForce(choice)} />
          {choice ? strings.force : strings.finish}
        </label>
      ))}
    </fieldset>
  );
}
