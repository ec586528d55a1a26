import { useSyncExternalStore } from "react";
import { later } from "./later.tsx";

const ConfirmDialog = later(() => import("./confirm-dialog.tsx").then((module) => module.ConfirmDialog));

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

export interface Question extends ConfirmRequest {
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

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function setQuestions(next: readonly Question[]): void {
  questions = next;
  for (const listener of listeners) listener();
}
