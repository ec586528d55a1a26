import { useSyncExternalStore } from "react";
import type { ConfirmRequest, Question } from "./confirm-request.ts";
import { later } from "./later.tsx";

const ConfirmDialog = later(() => import("./confirm-dialog.tsx").then((module) => module.ConfirmDialog));

export type { ConfirmRequest } from "./confirm-request.ts";

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
