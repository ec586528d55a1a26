// Running a task once more: as it was, or with another seed. Works from any list that holds the task's own settings.
import type { GalleryItem, TaskItem } from "@safelight/contract";
import { useQueryClient } from "@tanstack/react-query";
import { useCallback, useMemo } from "react";
import { inLanguage } from "../ui/language.ts";
import { showToast } from "../ui/toast-store.ts";
import { client } from "./client.ts";
import { describeProblem, isRefusal } from "./problems.ts";
import { withSession } from "./session.ts";
import { addSubmitted } from "./tasks.ts";

/** As much of a task as running it again needs. */
export type Repeatable = Pick<
  TaskItem | GalleryItem,
  "id" | "workspace" | "model" | "type" | "mode" | "prompt" | "negative_prompt" | "parameters" | "seed"
>;

export interface Resubmit {
  /** The same settings and the same seed. Resolves to the new task's id, or null when it was refused. */
  retry: (item: Repeatable) => Promise<string | null>;
  /** The same settings and another seed. */
  vary: (item: Repeatable) => Promise<string | null>;
}

type Kind = keyof Resubmit;

/** Tries of one press that got no answer at all; they share a key, so that only one task comes of them. */
const triesOffline = 3;
const pauseOffline = 800;

const en = {
  sent: { retry: "Running again", vary: "Running with another seed" },
  refused: "It was not started",
  show: "Show",
};
const ru: typeof en = {
  sent: { retry: "Запущено снова", vary: "Запущено с другим зерном" },
  refused: "Не запущено",
  show: "Показать",
};
const strings = inLanguage({ en, ru });

/** Retry and vary. `onShow` is given the new task's id when the person wants to see it. */
export function useResubmit(onShow?: (taskId: string) => void): Resubmit {
  const queryClient = useQueryClient();
  const run = useCallback(
    async (item: Repeatable, kind: Kind): Promise<string | null> => {
      try {
        const { task_id } = await submitAgain(item, kind);
        const { model, type, mode, prompt, parameters } = item;
        addSubmitted(queryClient, task_id, { model, type, mode, prompt, parameters });
        const action = onShow && { label: strings.show, run: () => onShow(task_id) };
        showToast({ text: strings.sent[kind], detail: item.prompt, ...(action && { action }) });
        return task_id;
      } catch (error) {
        const { detail, action } = describeProblem(error);
        showToast({ tone: "error", text: strings.refused, detail: [detail, action].filter(Boolean).join(" ") });
        return null;
      }
    },
    [queryClient, onShow],
  );
  return useMemo(() => ({ retry: (item) => run(item, "retry"), vary: (item) => run(item, "vary") }), [run]);
}

/** The flat body of a submission that repeats a task. Without a seed the server draws one. */
export function repeatedBody(item: Repeatable, kind: Kind): Record<string, unknown> {
  const { seed: _seed, ...parameters } = item.parameters;
  return {
    ...parameters,
    model: item.model,
    mode: item.mode,
    prompt: item.prompt,
    ...(item.negative_prompt === "" ? {} : { negative_prompt: item.negative_prompt }),
    ...(item.workspace === null ? {} : { workspace: item.workspace }),
    ...(kind === "retry" ? { seed: item.seed } : {}),
  };
}

/** Submits once, however often the connection is lost on the way. Errors: the refusal, or the last lost connection. */
export async function submitAgain(item: Repeatable, kind: Kind): Promise<{ task_id: string }> {
  const body = repeatedBody(item, kind) as Parameters<typeof client.generate>[0]["body"];
  const headers = { "idempotency-key": drawKey() };
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await withSession(() => client.generate({ body, headers }));
    } catch (error) {
      if (isRefusal(error) || attempt === triesOffline) throw error;
      await new Promise((resolve) => setTimeout(resolve, pauseOffline * attempt));
    }
  }
}

/** 128 random bits. `crypto.randomUUID` would need a secure context, which a page on a plain local address has not. */
function drawKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
