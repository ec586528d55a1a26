// Why a task has not started yet, in words for those who wait for it, by the code of the reason.
import type { Notice, WaitingCode } from "@safelight/contract";
import { inLanguage } from "../../ui/language.ts";

const en: Readonly<Record<Exclude<WaitingCode, "behind_others">, string>> = {
  queue_paused: "Waiting: the operator has paused the queue.",
  busy: "Waiting: everything that can run it is busy.",
  resting: "Waiting: what can run it rests after failures and is tried again soon.",
  draining: "Waiting: what can run it finishes its work and takes no more.",
  not_ready: "Waiting: what can run it is not ready at the moment.",
  no_slots: "Waiting: nothing here is set up for tasks of this kind.",
  disabled: "Waiting: what can run it is switched off.",
  mode_not_offered: "Waiting: nothing here offers this mode at the moment.",
  model_not_offered: "Waiting: nothing here offers this model at the moment.",
  stepped_aside: "Waiting: what can run it is not ready at the moment.",
  pinned_elsewhere: "Waiting: the workspace it is meant for is not there any more.",
};

const ru: typeof en = {
  queue_paused: "Ждёт: оператор остановил очередь.",
  busy: "Ждёт: всё, что может её выполнить, занято.",
  resting: "Ждёт: площадка отдыхает после сбоев, скоро будет новая попытка.",
  draining: "Ждёт: площадка доделывает начатое и новых задач не берёт.",
  not_ready: "Ждёт: площадки с этой моделью сейчас не готовы.",
  no_slots: "Ждёт: здесь нет мест для задач этого вида.",
  disabled: "Ждёт: площадка с этой моделью отключена.",
  mode_not_offered: "Ждёт: такого режима сейчас нет ни на одной площадке.",
  model_not_offered: "Ждёт: этой модели сейчас нет ни на одной площадке.",
  stepped_aside: "Ждёт: площадки с этой моделью сейчас не готовы.",
  pinned_elsewhere: "Ждёт: площадки, для которой задача предназначена, больше нет.",
};

const words = inLanguage({ en, ru });

/**
 * The reason as one sentence; what this page does not know is told as the server put it. Null where there is nothing to add to the
 * place in the queue: none hinders the task, or only those before it.
 */
export function waitingReasonWords(reason: Notice | null): string | null {
  if (reason === null || reason.code === "behind_others") return null;
  const known: unknown = Reflect.get(words, reason.code);
  return typeof known === "string" ? known : reason.detail;
}
