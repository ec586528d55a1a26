// A task in words, the same in queue, stage and history: where it stands, how long it takes, why it failed and what to
// do then. Failures are told by their code, so that both languages say everything.
import type { TaskErrorCode, TaskStage, TaskStatus } from "@safelight/contract";
import { currentLanguage, formatNumber, inLanguage } from "./language.ts";
import { duration } from "./time.ts";

export { percentWords as percentText } from "./figures.ts";
export { duration as durationText } from "./time.ts";

/** As much of a task as its words need. */
export interface TaskStanding {
  status: TaskStatus;
  stage: TaskStage | null;
  stage_detail: string | null;
  step: number | null;
  steps: number | null;
  queue_position: number | null;
}

interface Failure {
  title: string;
  advice: string;
}

const en = {
  next: "Next in the queue",
  place: (position: string) => `Waiting, place ${position}`,
  waiting: "Waiting for its turn",
  stage: {
    queued: "Waiting",
    starting: "Starting",
    load: "Loading the model",
    encode: "Preparing",
    denoise: "Denoising",
    decode: "Developing",
    mux: "Writing the clip",
    save: "Saving",
    cancelling: "Cancelling",
  } as Record<TaskStage, string>,
  detail: (stage: string, detail: string) => `${stage}, ${detail}`,
  step: (stage: string, step: string, steps: string) => `${stage}, step ${step} of ${steps}`,
  frame: (frame: string, frames: string) => `frame ${frame} of ${frames}`,
  keyFrame: (frame: string, frames: string) => `key frame ${frame} of ${frames}`,
  left: (text: string) => `${text} left`,
  about: (text: string) => `about ${text}`,
  tries: ["First try", "Second try", "Third try"],
  tryNumber: (attempt: string) => `Try ${attempt}`,
  tryAgain: (which: string) => `${which}: the one before was lost.`,
  failures: {
    cancelled: { title: "Cancelled", advice: "Run it again if you still want it." },
    timed_out: { title: "Took too long", advice: "Try a smaller frame, a shorter clip or fewer steps." },
    out_of_memory: { title: "Out of memory", advice: "Try a smaller frame or a shorter clip." },
    engine_failed: { title: "The engine failed", advice: "Run it again; if it fails again, change the settings." },
    worker_lost: { title: "The workspace was lost", advice: "Run it again: it goes elsewhere if it can." },
    no_workers: {
      title: "Not run",
      advice: "Nothing here could run it in time. Choose another model or ask the operator.",
    },
    result_invalid: {
      title: "The result was damaged",
      advice: "Run it again; if it happens again, tell the operator.",
    },
    storage_failed: {
      title: "It could not be stored",
      advice: "Ask the operator to check disk space, then run it again.",
    },
    content_refused: { title: "Refused", advice: "Change the prompt or the pictures." },
  } as Record<TaskErrorCode, Failure>,
  failure: { title: "It did not work", advice: "Run it again; if it fails again, tell the operator." },
};

const ru: typeof en = {
  next: "Следующая в очереди",
  place: (position) => `Ждёт, место ${position}`,
  waiting: "Ждёт своей очереди",
  stage: {
    queued: "Ожидание",
    starting: "Запуск",
    load: "Загрузка модели",
    encode: "Подготовка",
    denoise: "Проявка",
    decode: "Печать",
    mux: "Сборка ролика",
    save: "Сохранение",
    cancelling: "Отмена",
  },
  detail: (stage, detail) => `${stage}, ${detail}`,
  step: (stage, step, steps) => `${stage}, шаг ${step} из ${steps}`,
  frame: (frame, frames) => `кадр ${frame} из ${frames}`,
  keyFrame: (frame, frames) => `ключевой кадр ${frame} из ${frames}`,
  left: (text) => `ещё ${text}`,
  about: (text) => `около ${text}`,
  tries: ["Первая попытка", "Вторая попытка", "Третья попытка"],
  tryNumber: (attempt) => `Попытка ${attempt}`,
  tryAgain: (which) => `${which}: предыдущая прервалась.`,
  failures: {
    cancelled: { title: "Отменено", advice: "Запустите снова, если результат ещё нужен." },
    timed_out: { title: "Слишком долго", advice: "Возьмите кадр меньше, ролик короче или меньше шагов." },
    out_of_memory: { title: "Не хватило памяти", advice: "Возьмите кадр меньше или ролик короче." },
    engine_failed: { title: "Сбой движка", advice: "Запустите снова; если повторится, измените настройки." },
    worker_lost: { title: "Площадка пропала", advice: "Запустите снова: задача пойдёт на другую, если она есть." },
    no_workers: {
      title: "Не запущено",
      advice: "Здесь некому было её выполнить. Выберите другую модель или обратитесь к оператору.",
    },
    result_invalid: { title: "Результат повреждён", advice: "Запустите снова; если повторится, сообщите оператору." },
    storage_failed: {
      title: "Не удалось сохранить",
      advice: "Попросите оператора проверить место на диске и запустите снова.",
    },
    content_refused: { title: "Отклонено", advice: "Измените описание или картинки." },
  },
  failure: { title: "Не получилось", advice: "Запустите снова; если повторится, сообщите оператору." },
};

const strings = inLanguage({ en, ru });

/** "Denoising, step 5 of 8", "Waiting, place 3". */
export function progressWords(task: TaskStanding): string {
  if (task.stage === "cancelling") return strings.stage.cancelling;
  if (task.status === "pending") return waitingWords(task.queue_position);
  const stage = strings.stage[task.stage ?? "starting"];
  const counted = task.stage === "denoise" && task.steps !== null && task.step !== null;
  if (counted) return strings.step(stage, formatNumber(task.step ?? 0), formatNumber(task.steps ?? 0));
  const detail = task.stage_detail === null ? null : detailWords(task.stage_detail);
  return detail === null ? stage : strings.detail(stage, detail);
}

/** Counts are said in the page's language. Whatever else an engine tells is English, and stays away from other pages. */
function detailWords(detail: string): string | null {
  const counted = /^(key frame|frame) (\d+) of (\d+)$/.exec(detail);
  if (counted === null) return currentLanguage() === "en" ? detail : null;
  const words = counted[1] === "frame" ? strings.frame : strings.keyFrame;
  return words(formatNumber(Number(counted[2])), formatNumber(Number(counted[3])));
}

function waitingWords(position: number | null): string {
  if (position === null) return strings.waiting;
  return position === 1 ? strings.next : strings.place(formatNumber(position));
}

/** How long it still takes: exact enough to count down while it runs, a guess while it waits. */
export function outlookText(status: TaskStatus, seconds: number): string {
  const text = duration(seconds);
  return status === "processing" ? strings.left(text) : strings.about(text);
}

/** "Second try: the one before was lost."; null on the first. */
export function attemptText(attempt: number): string | null {
  if (attempt <= 1) return null;
  return strings.tryAgain(strings.tries[attempt - 1] ?? strings.tryNumber(formatNumber(attempt)));
}

/** A failure by its code; a code that this page does not know yet gets words that are always true. */
export function failureWords(code: string | null): Failure {
  return (code === null ? undefined : strings.failures[code as TaskErrorCode]) ?? strings.failure;
}
