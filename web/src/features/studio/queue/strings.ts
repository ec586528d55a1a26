// Every word of the queue.
import { formatNumber, inLanguage, plural } from "../../../ui/language.ts";

export { duration as durationText } from "../../../ui/time.ts";

const en = {
  queue: "Queue",
  close: "Close the queue",
  summary: (running: number, waiting: number) =>
    running + waiting === 0
      ? "nothing runs"
      : [running > 0 ? `${formatNumber(running)} running` : "", waiting > 0 ? `${formatNumber(waiting)} waiting` : ""]
          .filter(Boolean)
          .join(", "),
  tasks: "Tasks",
  running: "Running",
  waiting: "Waiting",
  ended: "Ended since you came",
  empty: "Nothing runs and nothing waits. What you generate shows up here, step by step.",
  more: (count: number) => plural(count, { one: "and # more", other: "and # more" }),
  show: (prompt: string) => `Show: ${prompt}`,
  cancel: "Cancel",
  cancelTask: (prompt: string) => `Cancel: ${prompt}`,
  cancelling: (prompt: string) => `Cancelling: ${prompt}`,
  cancelFailed: "It could not be cancelled",
  cancelAll: "Cancel all",
  cancelAllName: "Cancel all waiting tasks",
  cancelAllTitle: (count: number) => plural(count, { one: "Cancel # waiting task?", other: "Cancel # waiting tasks?" }),
  cancelAllText: "What runs goes on. The cancelled tasks stay in the history, where each can be run again.",
  cancelAllConfirm: (count: number) => plural(count, { one: "Cancel # task", other: "Cancel # tasks" }),
  cancelAllKeep: "Let them wait",
  cancelledAll: (count: number) => plural(count, { one: "# task cancelled", other: "# tasks cancelled" }),
  cancelAllFailed: (count: number) =>
    plural(count, { one: "# task could not be cancelled", other: "# tasks could not be cancelled" }),
  nobody: "Nothing here can run this model now. It starts when something can.",
  doneIn: (text: string) => `Done in ${text}`,
  done: "Done",
  fileGone: "Done, file gone",
  retry: "Retry",
  retryName: (prompt: string) => `Retry: ${prompt}`,
  edit: "Edit",
  editName: (prompt: string) => `Edit: ${prompt}`,
  dismiss: (prompt: string) => `Take off this list: ${prompt}`,
  dismissTitle: "Take off this list",
  clearEnded: "Clear",
  clearEndedName: "Clear the list of what ended",
  announce: {
    started: (prompt: string) => `Started: ${prompt}`,
    progress: (percent: string, prompt: string) => `${percent}: ${prompt}`,
    done: (prompt: string) => `Done: ${prompt}`,
    failed: (reason: string, prompt: string) => `${reason}: ${prompt}`,
    several: (done: number, failed: number) => `Tasks done: ${done}, failed: ${failed}`,
  },
  notify: {
    on: "Notify me when a task ends",
    off: "Stop notifying me when a task ends",
    refused: "The browser does not allow notifications for this page. The count in the tab's title stays.",
    missing: "This browser shows no notifications here. The count in the tab's title stays.",
  },
};

const ru: typeof en = {
  queue: "Очередь",
  close: "Закрыть очередь",
  summary: (running, waiting) =>
    running + waiting === 0
      ? "ничего не идёт"
      : [
          running > 0 ? `${formatNumber(running)} в работе` : "",
          waiting > 0 ? plural(waiting, { one: "# ждёт", other: "# ждут" }) : "",
        ]
          .filter(Boolean)
          .join(", "),
  tasks: "Задачи",
  running: "В работе",
  waiting: "Ждут",
  ended: "Завершены при вас",
  empty: "Ничего не идёт и не ждёт. Всё, что вы запустите, появится здесь шаг за шагом.",
  more: (count) => plural(count, { one: "и ещё #", other: "и ещё #" }),
  show: (prompt) => `Показать: ${prompt}`,
  cancel: "Отменить",
  cancelTask: (prompt) => `Отменить: ${prompt}`,
  cancelling: (prompt) => `Отменяется: ${prompt}`,
  cancelFailed: "Не удалось отменить",
  cancelAll: "Отменить все",
  cancelAllName: "Отменить все ожидающие задачи",
  cancelAllTitle: (count) =>
    plural(count, {
      one: "Отменить # ожидающую задачу?",
      few: "Отменить # ожидающие задачи?",
      many: "Отменить # ожидающих задач?",
      other: "Отменить # ожидающей задачи?",
    }),
  cancelAllText: "То, что уже идёт, продолжится. Отменённые задачи останутся в истории, каждую можно запустить снова.",
  cancelAllConfirm: (count) =>
    plural(count, {
      one: "Отменить # задачу",
      few: "Отменить # задачи",
      many: "Отменить # задач",
      other: "Отменить # задачи",
    }),
  cancelAllKeep: "Пусть ждут",
  cancelledAll: (count) =>
    plural(count, {
      one: "Отменена # задача",
      few: "Отменены # задачи",
      many: "Отменено # задач",
      other: "Отменено # задачи",
    }),
  cancelAllFailed: (count) =>
    plural(count, {
      one: "Не удалось отменить # задачу",
      few: "Не удалось отменить # задачи",
      many: "Не удалось отменить # задач",
      other: "Не удалось отменить # задачи",
    }),
  nobody: "Сейчас эту модель здесь некому выполнить. Задача начнётся, когда будет кому.",
  doneIn: (text) => `Готово за ${text}`,
  done: "Готово",
  fileGone: "Готово, файла нет",
  retry: "Повторить",
  retryName: (prompt) => `Повторить: ${prompt}`,
  edit: "Изменить",
  editName: (prompt) => `Изменить: ${prompt}`,
  dismiss: (prompt) => `Убрать из списка: ${prompt}`,
  dismissTitle: "Убрать из списка",
  clearEnded: "Очистить",
  clearEndedName: "Очистить список завершённых",
  announce: {
    started: (prompt) => `Началось: ${prompt}`,
    progress: (percent, prompt) => `${percent}: ${prompt}`,
    done: (prompt) => `Готово: ${prompt}`,
    failed: (reason, prompt) => `${reason}: ${prompt}`,
    several: (done, failed) => `Готово задач: ${done}, не вышло: ${failed}`,
  },
  notify: {
    on: "Сообщать, когда задача завершится",
    off: "Не сообщать о завершении задач",
    refused: "Браузер не разрешает уведомления для этой страницы. Число в заголовке вкладки остаётся.",
    missing: "Этот браузер не показывает здесь уведомлений. Число в заголовке вкладки остаётся.",
  },
};

export const strings = inLanguage({ en, ru });
