// Words of the tasks in the queue.
import { inLanguage, plural } from "../../../ui/language.ts";

const en = {
  tasks: "Tasks",
  running: "Running",
  waiting: "Waiting",
  ended: "Ended since you came",
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
};

const ru: typeof en = {
  tasks: "Задачи",
  running: "В работе",
  waiting: "Ждут",
  ended: "Завершены при вас",
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
};

export const strings = inLanguage({ en, ru });
