import { useId, useState } from "react";
import type { Question } from "./confirm-request.ts";
import { Modal } from "./modal.tsx";
import { strings } from "./strings.ts";

/** One question, with its two ways out. */
export function ConfirmDialog({ question }: { question: Question }) {
  const [typed, setTyped] = useState("");
  const id = useId();
  const ready = question.typed === undefined || typed.trim() === question.typed;
  return (
    <Modal title={question.title} onClose={() => question.answer(false)} describedBy={`${id}-text`} alert>
      <p id={`${id}-text`}>{question.text}</p>
      {question.typed === undefined ? null : (
        <div className="field mt-4">
          <label className="field-label" htmlFor={id}>
            {strings.typeToConfirm(question.typed)}
          </label>
          <input
            id={id}
            className="input mono"
            autoComplete="off"
            spellCheck={false}
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
          />
        </div>
      )}
      <div className="dialog-actions">
        {/* The safe choice comes first, and a dialog opens with its first button focused. */}
        <button type="button" className="btn" onClick={() => question.answer(false)}>
          {question.keep ?? strings.keep}
        </button>
        <button
          type="button"
          className={`btn ${question.danger ? "btn-danger-solid" : "btn-primary"}`}
          disabled={!ready}
          onClick={() => question.answer(true)}
        >
          {question.confirm}
        </button>
      </div>
    </Modal>
  );
}
