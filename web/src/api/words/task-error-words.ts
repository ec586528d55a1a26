// Failures of tasks in words, by their code.
import type { TaskErrorCode } from "@safelight/contract";
import { inLanguage } from "../../ui/language.ts";
import type { ProblemWords } from "./problem-words.ts";

const en: Readonly<Record<TaskErrorCode | "other", ProblemWords>> = {
  cancelled: { title: "Cancelled", action: "Run it again if you still want it." },
  timed_out: { title: "Took too long", action: "Try a smaller size, fewer frames or fewer steps." },
  out_of_memory: { title: "Out of memory", action: "Try a smaller size or fewer frames." },
  engine_failed: { title: "The engine failed", action: "Run it again; if it fails again, change the settings." },
  worker_lost: { title: "The workspace was lost", action: "Run it again: it will run elsewhere if it can." },
  no_workers: { title: "Nobody could run it", action: "Choose another model, or ask the operator for a workspace." },
  result_invalid: { title: "The result was damaged", action: "Run it again; if it fails again, tell the operator." },
  storage_failed: {
    title: "It could not be stored",
    action: "Ask the operator to check disk space, then run it again.",
  },
  content_refused: { title: "Refused", action: "Change the prompt or the pictures." },
  other: { title: "It did not work", action: "Run it again; if it fails again, tell the operator." },
};

const ru: typeof en = {
  cancelled: { title: "Отменена", action: "Запустите снова, если она ещё нужна." },
  timed_out: { title: "Слишком долго", action: "Уменьшите размер, число кадров или шагов." },
  out_of_memory: { title: "Не хватило памяти", action: "Уменьшите размер или число кадров." },
  engine_failed: { title: "Движок не справился", action: "Запустите снова; если не выйдет, измените настройки." },
  worker_lost: { title: "Площадка пропала", action: "Запустите снова: если можно, посчитает другая." },
  no_workers: { title: "Некому было считать", action: "Выберите другую модель или попросите у оператора площадку." },
  result_invalid: { title: "Результат повреждён", action: "Запустите снова; если не выйдет, скажите оператору." },
  storage_failed: { title: "Не удалось сохранить", action: "Пусть оператор проверит место на диске; затем повторите." },
  content_refused: { title: "Отклонена", action: "Измените описание или картинки." },
  other: { title: "Не получилось", action: "Запустите снова; если не выйдет, скажите оператору." },
};

const words = inLanguage({ en, ru });

/** Why a task failed and what a creator can do; a code this page does not know gets general words. */
export function taskErrorWords(code: string | null): ProblemWords {
  const known = words as Readonly<Record<string, ProblemWords | undefined>>;
  return (code === null ? undefined : known[code]) ?? words.other;
}
