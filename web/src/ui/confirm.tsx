import { useId, useState, useSyncExternalStore } from "react";
import { Modal } from "./modal.tsx";
import { strings } from "./strings.ts";

export interface ConfirmRequest {
  /** The question. */
  title: string;
  /** What follows from saying yes. */
  text: string;
  /** The verb on the button that does it: "Delete 3". */
  confirm: string;
  /** The verb of the safe way; "Keep" unless given. */
  keep?: string;
  danger?: boolean;
  /** A word that has to be typed first, for what cannot be brought back. */
  typed?: string;
}

interface Question extends ConfirmRequest {
  id: number;
  answer: (agreed: boolean) => void;
}

let questions: readonly Question[] = [];
let lastId = 0;
const listeners = new Set<() => void>();

/** Asks before something is done. Resolves true only when the person agreed; Escape and the safe button mean no. */
export function confirmAction(request: ConfirmRequest): Promise<boolean> {
  lastId += 1;
  const id = lastId;
  return new Promise((resolve) => {
    const answer = (agreed: boolean) => {
      setQuestions(questions.filter((question) => question.id !== id));
      resolve(agreed);
    };
    setQuestions([...questions, { ...request, id, answer }]);
  });
}

/** The place where questions are asked, one at a time; once in the frame. */
export function ConfirmHost() {
  const [question] = useSyncExternalStore(subscribe, () => questions);
  return question ? <ConfirmDialog key={question.id} question={question} /> : null;
}

function ConfirmDialog({ question }: { question: Question }) {
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

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function setQuestions(next: readonly Question[]): void {
  questions = next;
  for (const listener of listeners) listener();
}
