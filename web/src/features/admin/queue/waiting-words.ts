// Why an account does not take a task that waits, by the code of the reason.
import { inLanguage } from "../../../ui/language.ts";

const en = {
  busy: "every slot of its kind is taken",
  disabled: "disabled",
  draining: "draining, takes no more",
  not_ready: "not ready: its last check was bad, or there was none yet",
  model_not_offered: "does not offer this model",
  mode_not_offered: "offers the model, but not this mode",
  resting: "rests after runs that failed there",
  pinned_elsewhere: "the task is meant for another account",
  queue_paused: "the queue is paused",
  no_slots: "has no slots for this kind",
  stepped_aside: "steps aside, as an account offers the model",
  behind_others: "others are first in line",
};

const ru: typeof en = {
  busy: "все места этого вида заняты",
  disabled: "отключена",
  draining: "осушается, новых не берёт",
  not_ready: "не готова: проверка не прошла или её ещё не было",
  model_not_offered: "этой модели здесь нет",
  mode_not_offered: "модель есть, но не в этом режиме",
  resting: "отдыхает: запуски там срывались",
  pinned_elsewhere: "задача предназначена другой учётке",
  queue_paused: "очередь стоит",
  no_slots: "нет мест для этого вида",
  stepped_aside: "уступает: модель есть у одной из учёток",
  behind_others: "впереди стоят другие",
};

const words = inLanguage({ en, ru });

/** The reason as the end of a sentence; what this page does not know is told as the server put it. */
export function waitingWords({ code, detail }: { code: string; detail: string }): string {
  const known: unknown = Reflect.get(words, code);
  return typeof known === "string" ? known : detail;
}
