import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";
import { client } from "../../../../api/client.ts";
import { describeProblem, type Problem } from "../../../../api/problems.ts";
import { withSession } from "../../../../api/session.ts";
import { refreshTasks } from "../../../../api/tasks.ts";
import { belongsTo } from "./use-field-errors.ts";

export type SubmitState =
  | { phase: "idle" }
  | { phase: "sending" }
  | { phase: "refused"; problem: Problem }
  /** The queue is full: the same submission goes out again by itself at `retryAt` (milliseconds of this machine's clock). */
  | { phase: "waiting"; problem: Problem; retryAt: number };

interface Submission {
  body: Record<string, unknown>;
  key: string;
}

export interface Submit {
  state: SubmitState;
  send: (body: Record<string, unknown>) => void;
  stop: () => void;
  clearField: (field: string) => void;
  /** Takes a refusal away that no longer applies. */
  dismiss: () => void;
}

/**
 * Submits a recipe. Every press of the button has its own idempotency key, which all tries of that press share: an
 * answer lost on the way can be asked for again without a second task.
 */
export function useSubmit(onAccepted: (taskId: string) => void): Submit {
  const queryClient = useQueryClient();
  const [state, setState] = useState<SubmitState>({ phase: "idle" });
  const submission = useRef<Submission | null>(null);

  const attempt = useCallback(async () => {
    const current = submission.current;
    if (current === null) return;
    setState({ phase: "sending" });
    try {
      const accepted = await withSession(() => submitOnce(current));
      submission.current = null;
      setState({ phase: "idle" });
      await refreshTasks(queryClient);
      onAccepted(accepted.task_id);
    } catch (error) {
      const problem = describeProblem(error);
      const wait = problem.code === "queue_full" ? problem.retryAfter : null;
      if (wait === null) setState({ phase: "refused", problem });
      else setState({ phase: "waiting", problem, retryAt: Date.now() + wait * 1000 });
    }
  }, [queryClient, onAccepted]);

  useEffect(() => {
    if (state.phase !== "waiting") return;
    const timer = setTimeout(() => void attempt(), Math.max(0, state.retryAt - Date.now()));
    return () => clearTimeout(timer);
  }, [state, attempt]);

  const send = useCallback(
    (body: Record<string, unknown>) => {
      submission.current = { body, key: submissionKey() };
      void attempt();
    },
    [attempt],
  );
  const stop = useCallback(() => {
    submission.current = null;
    setState({ phase: "idle" });
  }, []);
  const clearField = useCallback((field: string) => setState((current) => withoutField(current, field)), []);
  const dismiss = useCallback(
    () => setState((current) => (current.phase === "refused" ? { phase: "idle" } : current)),
    [],
  );
  return { state, send, stop, clearField, dismiss };
}

function submitOnce({ body, key }: Submission) {
  return client.generate({
    body: body as Parameters<typeof client.generate>[0]["body"],
    headers: { "idempotency-key": key },
  });
}

/** A field that was changed is no longer refused; with the last one gone, so is the refusal. */
function withoutField(state: SubmitState, field: string): SubmitState {
  if (state.phase !== "refused" || state.problem.fields.length === 0) return state;
  const fields = state.problem.fields.filter((error) => !belongsTo(error.field, field));
  if (fields.length === state.problem.fields.length) return state;
  return fields.length === 0 ? { phase: "idle" } : { phase: "refused", problem: { ...state.problem, fields } };
}

/** 128 random bits. `crypto.randomUUID` would need a secure context, which a page on a plain local address has not. */
function submissionKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
