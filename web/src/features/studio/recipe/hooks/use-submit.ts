import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useEffect, useRef, useState } from "react";
import { client } from "../../../../api/client.ts";
import { describeProblem, type Problem } from "../../../../api/problems.ts";
import { withSession } from "../../../../api/session.ts";
import { addSubmitted, type Submitted } from "../../../../api/tasks.ts";
import { belongsTo } from "../model/faults.ts";
import type { Body, Order } from "../model/order.ts";

/** How far a press that asks for several results has come. */
export interface Tally {
  taken: number;
  wanted: number;
}

export type SubmitState =
  | { phase: "idle" }
  | ({ phase: "sending" } & Tally)
  | ({ phase: "refused"; problem: Problem } & Tally)
  /** The queue is full: what is left goes out again by itself at `retryAt` (milliseconds of this machine's clock). */
  | ({ phase: "waiting"; problem: Problem; retryAt: number } & Tally);

/** One task to be: its request, the key that makes it at most one, and its id once the server has taken it. */
interface Item {
  body: Body;
  key: string;
  taskId: string | null;
}

export interface Submit {
  state: SubmitState;
  send: (order: Order) => void;
  stop: () => void;
  clearField: (field: string) => void;
  /** Takes a refusal away that no longer applies. */
  dismiss: () => void;
}

interface Press {
  signature: string;
  type: Submitted["type"];
  items: Item[];
}

/**
 * Submits recipes. Every task of every press has its own idempotency key, which all tries share: an answer lost on the
 * way can be asked for again without a second task. They go out one after the other, so that the queue holds them in
 * their order, and stop at the first refusal: what is wrong with one is wrong with all.
 */
export function useSubmit(onAccepted: (taskId: string) => void): Submit {
  const queryClient = useQueryClient();
  const [state, setState] = useState<SubmitState>({ phase: "idle" });
  const press = useRef<Press | null>(null);

  const attempt = useCallback(async () => {
    const current = press.current;
    if (current === null) return;
    for (const item of current.items.filter(({ taskId }) => taskId === null)) {
      setState({ phase: "sending", ...tallyOf(current) });
      try {
        const { task_id } = await withSession(() => submitOnce(item));
        item.taskId = task_id;
        addSubmitted(queryClient, task_id, submittedBy(item, current.type));
        if (tallyOf(current).taken === 1) onAccepted(task_id);
      } catch (error) {
        if (press.current === current) setState(afterRefusal(error, current));
        return;
      }
      if (press.current !== current) return;
    }
    press.current = null;
    setState({ phase: "idle" });
  }, [queryClient, onAccepted]);

  useEffect(() => {
    if (state.phase !== "waiting") return;
    const timer = setTimeout(() => void attempt(), Math.max(0, state.retryAt - Date.now()));
    return () => clearTimeout(timer);
  }, [state, attempt]);

  const send = useCallback(
    (order: Order) => {
      press.current = pressFor(order, press.current);
      void attempt();
    },
    [attempt],
  );
  const stop = useCallback(() => {
    press.current = null;
    setState({ phase: "idle" });
  }, []);
  const clearField = useCallback((field: string) => setState((current) => withoutField(current, field)), []);
  const dismiss = useCallback(
    () => setState((current) => (current.phase === "refused" ? { phase: "idle" } : current)),
    [],
  );
  return { state, send, stop, clearField, dismiss };
}

/**
 * What the press before left open and is asked for again keeps its keys and seeds: perhaps the server has taken it and
 * only its answer was lost. What it has taken already is not asked for twice.
 */
function pressFor({ signature, type, bodies }: Order, before: Press | null): Press {
  if (before !== null && before.signature === signature) return before;
  return { signature, type, items: bodies().map((body: Body) => ({ body, key: submissionKey(), taskId: null })) };
}

function tallyOf({ items }: Press): Tally {
  return { taken: items.filter(({ taskId }) => taskId !== null).length, wanted: items.length };
}

function afterRefusal(error: unknown, press: Press): SubmitState {
  const problem = describeProblem(error);
  const wait = problem.code === "queue_full" ? problem.retryAfter : null;
  if (wait === null) return { phase: "refused", problem, ...tallyOf(press) };
  return { phase: "waiting", problem, retryAt: Date.now() + wait * 1000, ...tallyOf(press) };
}

function submitOnce({ body, key }: Item) {
  return client.generate({
    body: body as Parameters<typeof client.generate>[0]["body"],
    headers: { "idempotency-key": key },
  });
}

function submittedBy({ body }: Item, type: Submitted["type"]): Submitted {
  const { model, mode, prompt, ...parameters } = body;
  return { model: String(model), mode: String(mode), type, prompt: String(prompt), parameters };
}

/** A field that was changed is no longer refused; with the last one gone, so is the refusal. */
function withoutField(state: SubmitState, field: string): SubmitState {
  if (state.phase !== "refused" || state.problem.fields.length === 0) return state;
  const fields = state.problem.fields.filter((error) => !belongsTo(error.field, field));
  if (fields.length === state.problem.fields.length) return state;
  return fields.length === 0 ? { phase: "idle" } : { ...state, problem: { ...state.problem, fields } };
}

/** 128 random bits. `crypto.randomUUID` would need a secure context, which a page on a plain local address has not. */
function submissionKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
