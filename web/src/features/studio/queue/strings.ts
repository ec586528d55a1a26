// Words of the queue before there is anything in it.
import { formatNumber, inLanguage, plural } from "../../../ui/language.ts";

const en = {
  queue: "Queue",
  close: "Close the queue",
  summary: (running: number, waiting: number) =>
    running + waiting === 0
      ? "nothing runs"
      : [running > 0 ? `${formatNumber(running)} running` : "", waiting > 0 ? `${formatNumber(waiting)} waiting` : ""]
          .filter(Boolean)
          .join(", "),
  empty: "Nothing runs and nothing waits. What you generate shows up here, step by step.",
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
  empty: "Ничего не идёт и не ждёт. Всё, что вы запустите, появится здесь шаг за шагом.",
  notify: {
    on: "Сообщать, когда задача завершится",
    off: "Не сообщать о завершении задач",
    refused: "Браузер не разрешает уведомления для этой страницы. Число в заголовке вкладки остаётся.",
    missing: "Этот браузер не показывает здесь уведомлений. Число в заголовке вкладки остаётся.",
  },
};

export const strings = inLanguage({ en, ru });
